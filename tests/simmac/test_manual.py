"""The example of simulated Macs in docs/virtual-cluster.md works as it stands."""

import manual


def test_the_example_of_simulated_macs_works(cluster_possible, bin_dir):
    blocks = manual.examples(with_macs=True)
    assert len(blocks) == 1
    # The manual's first example puts `cluster` into PATH.
    result = manual.run(["PATH=$PWD/tests/cluster:$PATH", *blocks])
    assert result.returncode == 0, result.stdout + result.stderr
    assert result.stdout.count("hca_id:\trdma_en") == 6
