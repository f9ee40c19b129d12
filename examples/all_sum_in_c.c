/* The same as all_sum.cpp, in C.  Try:  launch -n 4 -- all_sum_in_c */
#include <jackal/jackal.h>
#include <stdio.h>

int main(void) {
  jackal_group* group = NULL;
  float mine[4], sum[4];
  int i;

  if (jackal_init(NULL, &group) != JACKAL_OK) goto failed;
  for (i = 0; i < 4; ++i) mine[i] = (float)(jackal_rank(group) + 1);
  if (jackal_all_reduce(group, mine, sum, 4, JACKAL_FLOAT32, JACKAL_SUM, NULL) != JACKAL_OK) goto failed;

  printf("rank %d of %d: sum = [%g, %g, %g, %g]\n", jackal_rank(group), jackal_size(group), (double)sum[0],
         (double)sum[1], (double)sum[2], (double)sum[3]);
  jackal_free(group);
  return 0;

failed:
  fprintf(stderr, "all_sum_in_c: %s\n", jackal_last_error()->text);
  jackal_free(group);
  return 1;
}
