# What every C++ target of fastgd shares: language, warnings, visibility, sanitizers.

if(NOT CMAKE_CXX_COMPILER_ID MATCHES "GNU|Clang")
  message(FATAL_ERROR
    "fastgd is written on the vector extensions of GCC and Clang. Received: ${CMAKE_CXX_COMPILER_ID}")
endif()

# -Wconversion stays off: mixed sizes of whole numbers are checked where shapes are made, in csrc/base.
set(FASTGD_WARNINGS -Wall -Wextra -Wpedantic -Wshadow -Werror=missing-field-initializers)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  # GCC 12 warns of overlapping copies inside its own std::string (GCC bug 105651).
  list(APPEND FASTGD_WARNINGS -Wno-restrict)
endif()

function(fastgd_configure target)
  target_compile_features(${target} PRIVATE cxx_std_20)
  target_include_directories(${target} PRIVATE "${PROJECT_SOURCE_DIR}/csrc")
  target_compile_options(${target} PRIVATE ${FASTGD_WARNINGS} $<$<NOT:$<CONFIG:Debug>>:-O3>)
  set_target_properties(${target} PROPERTIES
    CXX_EXTENSIONS OFF
    CXX_VISIBILITY_PRESET hidden
    VISIBILITY_INLINES_HIDDEN ON
    POSITION_INDEPENDENT_CODE ON
    INTERPROCEDURAL_OPTIMIZATION OFF)
  if(FASTGD_SANITIZE)
    target_compile_options(${target} PRIVATE -fsanitize=${FASTGD_SANITIZE} -fno-omit-frame-pointer)
    target_link_options(${target} PRIVATE -fsanitize=${FASTGD_SANITIZE})
  endif()
endfunction()
