# The tests as CTest runs them: one program per file of tests/cpp, and the whole Python suite on this build.

if(FASTGD_CPP_TESTS)
  file(GLOB cpp_tests CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/tests/cpp/*.cpp")
  foreach(source IN LISTS cpp_tests)
    get_filename_component(name "${source}" NAME_WE)
    add_executable(${name} "${source}")
    fastgd_configure(${name})
    target_link_libraries(${name} PRIVATE fastgd_objects ${tier_targets})
    add_test(NAME cpp.${name} COMMAND ${name})
  endforeach()
endif()

if(FASTGD_IN_PLACE)
  set(package_root "${PROJECT_SOURCE_DIR}/python")
else()
  # A build that is not in place gets a package of its own, so that it never runs another build's module.
  set(package_root "${PROJECT_BINARY_DIR}/stage")
  install(DIRECTORY python/fastgd DESTINATION . COMPONENT package
    PATTERN "*.so" EXCLUDE PATTERN "__pycache__" EXCLUDE)
  foreach(component IN ITEMS core package)
    add_test(NAME stage.${component} COMMAND
      "${CMAKE_COMMAND}" --install "${PROJECT_BINARY_DIR}" --component ${component} --prefix "${package_root}")
    set_tests_properties(stage.${component} PROPERTIES FIXTURES_SETUP stage)
  endforeach()
endif()

add_test(NAME python COMMAND "${Python_EXECUTABLE}" -m pytest -q -p no:cacheprovider
  WORKING_DIRECTORY "${PROJECT_SOURCE_DIR}")
set(environment "PYTHONPATH=${package_root}")
if(FASTGD_SANITIZE)
  # Python itself is not instrumented, so the sanitizer's library has to be loaded before it; Python's own
  # allocations at exit are no leaks of the module.
  if(FASTGD_SANITIZE MATCHES "address")
    set(runtime asan)
  else()
    set(runtime tsan)
  endif()
  execute_process(COMMAND "${CMAKE_CXX_COMPILER}" -print-file-name=lib${runtime}.so
    OUTPUT_VARIABLE runtime_path OUTPUT_STRIP_TRAILING_WHITESPACE)
  list(APPEND environment
    "LD_PRELOAD=${runtime_path}" "ASAN_OPTIONS=detect_leaks=0" "UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1"
    "TSAN_OPTIONS=ignore_noninstrumented_modules=1")
endif()
set_tests_properties(python PROPERTIES ENVIRONMENT "${environment}" FIXTURES_REQUIRED stage)
