/* Rust's standard library takes its random numbers from this library of Windows 10, which Wine 8 does not have.
   Used under Wine alone, never shipped. Without headers and a C library, which Zig would have to build first. */
#include <stddef.h>

/* RtlGenRandom, by the name that advapi32 exports. */
__declspec(dllimport) unsigned char SystemFunction036(void *bytes, unsigned long count);

int DllMainCRTStartup(void *library, unsigned long reason, void *reserved) { return 1; }

__declspec(dllexport) int ProcessPrng(unsigned char *bytes, size_t count) {
  const size_t most = 1 << 20;
  while (count > 0) {
    const size_t part = count < most ? count : most;
    if (!SystemFunction036(bytes, (unsigned long)part)) {
      return 0;
    }
    bytes += part;
    count -= part;
  }
  return 1;
}
