// Whether the loader found the library that belongs to the extension module.
#pragma once

namespace bridle::python {

// False, with an ImportError set that names both files, if the functions of another build were
// loaded earlier and serve this module now.
bool check_library();

}  // namespace bridle::python
