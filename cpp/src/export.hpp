// What the shared library shows to its clients; everything else is hidden.
#pragma once

#define BRIDLE_API __attribute__((visibility("default")))
