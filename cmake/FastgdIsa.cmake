# The instruction sets: one table, and one function that compiles csrc/kernels once for each row.

# Name, then the architectures it exists on, then its compiler flags. A new one also needs a branch in csrc/simd/vec.h
# and an entry in csrc/dispatch.
set(FASTGD_ISA_TABLE
  "generic | x86_64 aarch64 other |"
  "avx2    | x86_64               | -mavx2 -mfma -mbmi2"
  "avx512  | x86_64               | -mavx512f -mavx512bw -mavx512dq -mavx512vl -mfma -mbmi2 -mprefer-vector-width=512"
  "neon    | aarch64              |")

set(FASTGD_ONLY_TIERS "" CACHE STRING "Tiers to build, generic among them; empty for all of the architecture")

# No exception, allocation, guard or OpenMP region may come out of a kernel, and no product and sum may be contracted
# behind the source's back: a fused multiply-add stands where the source says so, alike in every tier.
set(FASTGD_KERNEL_FLAGS
  -fno-exceptions -fno-rtti -fno-threadsafe-statics -fno-math-errno -ffp-contract=off)

if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64|amd64)$")
  set(FASTGD_ARCHITECTURE x86_64)
elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "^(aarch64|arm64|ARM64)$")
  set(FASTGD_ARCHITECTURE aarch64)
else()
  set(FASTGD_ARCHITECTURE other)
endif()

# Makes an object library fastgd_kernels_<tier> for each tier of this architecture and stores their names in `result`;
# FASTGD_TIERS holds the tiers' names afterwards.
function(fastgd_add_isa_tiers result)
  file(GLOB sources CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/csrc/kernels/*.cpp")
  set(targets)
  set(tiers)
  foreach(row IN LISTS FASTGD_ISA_TABLE)
    string(REGEX MATCH "^([a-z0-9]+) *\\| *([a-z0-9_ ]*[a-z0-9]) *\\| *(.*)$" _ "${row}")
    set(tier "${CMAKE_MATCH_1}")
    separate_arguments(architectures UNIX_COMMAND "${CMAKE_MATCH_2}")
    separate_arguments(flags UNIX_COMMAND "${CMAKE_MATCH_3}")
    if(FASTGD_ONLY_TIERS AND NOT tier IN_LIST FASTGD_ONLY_TIERS)
      continue()
    endif()
    if(FASTGD_ARCHITECTURE IN_LIST architectures)
      set(target fastgd_kernels_${tier})
      add_library(${target} OBJECT ${sources})
      fastgd_configure(${target})
      target_compile_options(${target} PRIVATE ${FASTGD_KERNEL_FLAGS} ${flags})
      target_compile_definitions(${target} PRIVATE FASTGD_ISA_NAMESPACE=${tier})
      list(APPEND targets ${target})
      list(APPEND tiers ${tier})
    endif()
  endforeach()
  list(JOIN tiers " " shown)
  message(STATUS "fastgd: kernels for ${shown}")
  set(${result} ${targets} PARENT_SCOPE)
  set(FASTGD_TIERS ${tiers} PARENT_SCOPE)
endfunction()

# Tells a target's sources which tiers exist: FASTGD_HAVE_AVX2 and the like.
function(fastgd_define_isa_tiers target)
  foreach(tier IN LISTS FASTGD_TIERS)
    string(TOUPPER "FASTGD_HAVE_${tier}" definition)
    target_compile_definitions(${target} PUBLIC ${definition})
  endforeach()
endfunction()
