/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_GNURADIO_BEARING_API_H
#define INCLUDED_GNURADIO_BEARING_API_H

#if defined(_WIN32)
#define BEARING_EXPORT __declspec(dllexport)
#define BEARING_IMPORT __declspec(dllimport)
#else
#define BEARING_EXPORT __attribute__((visibility("default")))
#define BEARING_IMPORT __attribute__((visibility("default")))
#endif

//! Marks what the library gnuradio-bearing exports.
#ifdef gnuradio_bearing_EXPORTS
#define BEARING_API BEARING_EXPORT
#else
#define BEARING_API BEARING_IMPORT
#endif

#endif /* INCLUDED_GNURADIO_BEARING_API_H */
