/* What the shared library shows to its clients; everything else is hidden. */
#ifndef BRIDLE_EXPORT_H
#define BRIDLE_EXPORT_H

#define BRIDLE_API __attribute__((visibility("default")))

#endif
