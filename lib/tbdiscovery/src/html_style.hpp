// The style sheet of the HTML page.
#pragma once

#include <string_view>

namespace jackal::tbdiscovery {

std::string_view html_style();

}  // namespace jackal::tbdiscovery
