# shellcheck shell=bash
# Sourced by build.sh and the scripts in this directory: how each platform is built, and what its program may require.

# shellcheck disable=SC2034
platforms=(linux/amd64 linux/arm64 windows/amd64 windows/arm64 darwin/amd64 darwin/arm64)
# Released in 2012, in CentOS 7; older than that of every system that is still maintained.
glibc=2.17
# Libraries that every Windows 10 has: neither the Visual C++ runtime nor one of MinGW is among them.
windows_libraries='advapi32|bcrypt|bcryptprimitives|combase|crypt32|kernel32|ntdll|ole32|oleaut32|powrprof|secur32|shell32|user32|userenv|ws2_32|api-ms-win-(core|crt)-[a-z0-9-]+'
# Libraries and frameworks that every macOS has.
macos_libraries='/usr/lib/lib(System\.B|charset\.1|iconv\.2)\.dylib|/System/Library/Frameworks/(CoreFoundation|Security|SystemConfiguration)\.framework/.*'

# Rust's name of a platform; nothing for an unknown one. linux/amd64-musl, for systems without glibc such as Alpine, is
# not a platform of azd: built and packed only if it is named.
target_of() { # PLATFORM
  case $1 in
    linux/amd64-musl) echo x86_64-unknown-linux-musl ;;
    linux/amd64) echo x86_64-unknown-linux-gnu ;;
    linux/arm64) echo aarch64-unknown-linux-gnu ;;
    windows/amd64) echo x86_64-pc-windows-gnullvm ;;
    windows/arm64) echo aarch64-pc-windows-gnullvm ;;
    darwin/amd64) echo x86_64-apple-darwin ;;
    darwin/arm64) echo aarch64-apple-darwin ;;
  esac
}

# Target in the form of Zig, with the glibc that the program may require.
linked_target_of() { # PLATFORM
  case $1 in
    linux/amd64 | linux/arm64) echo "$(target_of "$1").$glibc" ;;
    *) target_of "$1" ;;
  esac
}

# Oldest macOS of a platform, the default of Rust; Zig's default is a recent one.
oldest_macos() { # PLATFORM
  case $1 in
    darwin/amd64) echo 10.12 ;;
    darwin/arm64) echo 11.0 ;;
  esac
}

# Prints what a program requires; fails if an old system does not have it. Needs pefile for Windows and macholib for
# macOS.
check_needs() { # PLATFORM PROGRAM
  local needs newest others
  case $1 in
    linux/*-musl)
      ! readelf --wide --dynamic --program-headers "$2" | grep -E 'NEEDED|INTERP' || { echo "$2 is not static" && return 1; }
      echo "$2 needs nothing"
      ;;
    linux/*)
      needs=$(readelf --wide --version-info "$2" | grep -oE 'GLIBC_[0-9.]+' | sort --unique --version-sort)
      echo "$2 needs ${needs//$'\n'/ }"
      newest=$(printf '%s\n' "$needs" "GLIBC_$glibc" | sort --version-sort | tail -n 1)
      [[ $needs && $newest == "GLIBC_$glibc" ]]
      ;;
    windows/*)
      needs=$(python3 -c '
import pefile, sys
imports = pefile.PE(sys.argv[1]).DIRECTORY_ENTRY_IMPORT
print("\n".join(sorted(entry.dll.decode().lower() for entry in imports)))' "$2") || return
      echo "$2 needs ${needs//$'\n'/ }"
      others=$(grep -vE "^($windows_libraries)\.dll$" <<<"$needs" || true)
      [[ ! $others ]] || { echo "not on every Windows: ${others//$'\n'/ }" && return 1; }
      ;;
    darwin/*)
      needs=$(python3 -c '
import sys
from macholib.MachO import MachO
from macholib.mach_o import LC_BUILD_VERSION, LC_VERSION_MIN_MACOSX
header = MachO(sys.argv[1]).headers[0]
for load, command, _ in header.commands:
    if load.cmd in (LC_BUILD_VERSION, LC_VERSION_MIN_MACOSX):
        oldest = getattr(command, "minos", None) or command.version
        print(f"macOS {oldest >> 16}.{oldest >> 8 & 255}")
print("\n".join(sorted(name for _, _, name in header.walkRelocatables())))' "$2") || return
      echo "$2 needs ${needs//$'\n'/ }"
      others=$(grep -vE "^($macos_libraries|macOS $(oldest_macos "$1"))$" <<<"$needs" || true)
      [[ ! $others ]] || { echo "not on every macOS: ${others//$'\n'/ }" && return 1; }
      ;;
  esac
}
