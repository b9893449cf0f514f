#include "CPJRT.h"

// The whole table up to the last entry that is called: a header of 40 bytes, then 97 pointers.
_Static_assert(sizeof(PJRT_Api) == 40 + 97 * sizeof(void *), "an entry of the PJRT table is missing or out of place");
