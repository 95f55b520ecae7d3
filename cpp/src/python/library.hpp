// Whether the loader found the library that belongs to the extension module.
#pragma once

namespace bridle::python {

// Throws ImportError, which names both files, if the functions of another build were loaded earlier
// and serve this module now.
void check_library();

}  // namespace bridle::python
