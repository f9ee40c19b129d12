// Jobs on a desk of the fake provider, and work for their groups.
#pragma once

#include "ranks.hpp"
#include "verbs_desk.hpp"

namespace verbs_desk {

/// Set up as JACCL's launcher does. `more`: further variables, and "BACKEND" for the host file's.
ranks::Job job_on(const Desk& desk, ranks::Variables more = {});

/// Sums, gathers, exchanges and passes round; throws where a result is wrong.
void use(jackal::Group& group, std::size_t count);

}  // namespace verbs_desk
