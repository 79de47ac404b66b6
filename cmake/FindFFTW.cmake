# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
#
# FFTW 3 in both precisions: targets FFTW::Double and FFTW::Float. Neither of them has a
# package configuration in Debian 12.

find_path(FFTW_INCLUDE_DIR fftw3.h)
find_library(FFTW_DOUBLE_LIBRARY fftw3)
find_library(FFTW_FLOAT_LIBRARY fftw3f)
mark_as_advanced(FFTW_INCLUDE_DIR FFTW_DOUBLE_LIBRARY FFTW_FLOAT_LIBRARY)

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(
    FFTW REQUIRED_VARS FFTW_DOUBLE_LIBRARY FFTW_FLOAT_LIBRARY FFTW_INCLUDE_DIR)

if(FFTW_FOUND)
    foreach(precision Double Float)
        string(TOUPPER ${precision} name)
        if(NOT TARGET FFTW::${precision})
            add_library(FFTW::${precision} UNKNOWN IMPORTED)
            set_target_properties(
                FFTW::${precision}
                PROPERTIES IMPORTED_LOCATION ${FFTW_${name}_LIBRARY}
                           INTERFACE_INCLUDE_DIRECTORIES ${FFTW_INCLUDE_DIR})
        endif()
    endforeach()
endif()
