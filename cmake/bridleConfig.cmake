# find_package(bridle CONFIG): the target bridle::bridle. OpenMP is the library's own affair.
include("${CMAKE_CURRENT_LIST_DIR}/bridleTargets.cmake")
