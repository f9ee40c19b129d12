// Boost.Process v2 before it became a compiled library of its own (Boost 1.86): its sources, once.
#include <boost/process/v2/src.hpp>
