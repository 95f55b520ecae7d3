/* What the shared library shows to its clients; everything else is hidden. */
#ifndef BRIDLE_EXPORT_H
#define BRIDLE_EXPORT_H

/* Made for, and tested on, processors that put the low byte first. */
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "bridle: big-endian processors are not supported"
#endif

#if !defined(_WIN32)
#define BRIDLE_API __attribute__((visibility("default")))
#elif defined(bridle_EXPORTS) /* while the library itself is compiled */
#define BRIDLE_API __declspec(dllexport)
#else
#define BRIDLE_API
#endif

#endif
