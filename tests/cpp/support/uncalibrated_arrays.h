/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_BEARING_TESTS_UNCALIBRATED_ARRAYS_H
#define INCLUDED_BEARING_TESTS_UNCALIBRATED_ARRAYS_H

#include "scenes.h"
#include <gnuradio/bearing/core/array/antenna_array.h>
#include <gnuradio/bearing/core/calibration/alignment.h>
#include <gnuradio/bearing/core/simulation/snapshots.h>
#include <gnuradio/bearing/core/subspace/music.h>
#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <complex>
#include <cstdlib>
#include <random>
#include <string>
#include <vector>

//! Random arrays, scenes and scores for the calibrators' statistical tests; one seed, one
//! sequence.
class uncalibrated_world
{
public:
    static constexpr int snapshots = 100;
    static constexpr double snr_db = 15.0;

    explicit uncalibrated_world(unsigned seed) : d_random(seed) {}

    double uniform(double low, double high)
    {
        return std::uniform_real_distribution<double>(low, high)(d_random);
    }
    std::complex<double> circular(double variance)
    {
        std::normal_distribution<double> part(0.0, std::sqrt(variance / 2.0));
        return { part(d_random), part(d_random) };
    }

    //! Gains 1 + CN(0, variance), offsets within +-largest wavelengths: along a line with
    //! the ends inward only, or in the plane of any other array.
    gr::bearing::core::antenna_array
    impaired(const gr::bearing::core::antenna_array& drawn,
             double gain_variance,
             double largest_offset)
    {
        const int n = drawn.num_elements();
        gr::bearing::core::calibration_state errors;
        errors.gains.resize(n);
        errors.positions = Eigen::MatrixXd::Zero(n, 3);
        for (int l = 0; l < n; ++l) {
            errors.gains(l) = 1.0 + circular(gain_variance);
            errors.positions(l, 0) = uniform(-largest_offset, largest_offset);
            if (!drawn.is_front_only()) {
                errors.positions(l, 1) = uniform(-largest_offset, largest_offset);
            }
        }
        if (drawn.is_front_only()) {
            errors.positions(0, 0) = std::abs(errors.positions(0, 0));
            errors.positions(n - 1, 0) = -std::abs(errors.positions(n - 1, 0));
        }
        errors.gains *= std::sqrt(n / errors.gains.squaredNorm());
        return drawn.calibrated(errors);
    }

    //! Within 60 degrees of a line's broadside, or anywhere, at least \p gap apart.
    Eigen::VectorXd directions(const gr::bearing::core::antenna_array& array,
                               int num_sources = 1,
                               double gap = 0.0)
    {
        Eigen::VectorXd azimuth(num_sources);
        double smallest;
        do {
            for (double& direction : azimuth) {
                direction = array.is_front_only() ? uniform(-60.0 * degree, 60.0 * degree)
                                                  : uniform(0.0, 360.0 * degree);
            }
            smallest = 10.0;
            for (int i = 0; i < num_sources; ++i) {
                for (int k = 0; k < i; ++k) {
                    smallest = std::min(
                        smallest,
                        std::abs(std::remainder(azimuth(i) - azimuth(k), 2.0 * M_PI)));
                }
            }
        } while (smallest < gap);
        return azimuth;
    }

    Eigen::MatrixXcd covariance(const gr::bearing::core::antenna_array& array,
                                const Eigen::VectorXd& azimuth,
                                double snr = snr_db)
    {
        const Eigen::MatrixXcd x =
            gr::bearing::core::simulate(
                array, azimuth, Eigen::VectorXd::Constant(1, snr), snapshots, d_random())
                .cast<std::complex<double>>();
        return x * x.adjoint() / snapshots;
    }

    //! Errors of MUSIC in degrees on the same fresh data: mean over tests on a line, root
    //! mean square on other arrays.
    struct scores {
        double fitted;
        double aligned; //!< after the best map that unlabelled data leaves free
        double truth;   //!< with the true parameters
        double nominal; //!< as drawn

        double ratio() const { return fitted / truth; }
        double aligned_ratio() const { return aligned / truth; }
    };
    scores score(const gr::bearing::core::antenna_array& drawn,
                 const gr::bearing::core::antenna_array& truth,
                 const gr::bearing::core::antenna_array& fitted,
                 int num_tests = 200)
    {
        using namespace gr::bearing::core;
        Eigen::MatrixXd directions_of_all(num_tests, 1);
        Eigen::MatrixXd found[3] = { directions_of_all,
                                     directions_of_all,
                                     directions_of_all };
        const antenna_array* const arrays[3] = { &fitted, &truth, &drawn };
        std::vector<music_estimator> estimators;
        for (const antenna_array* array : arrays) {
            estimators.emplace_back(
                *array, angle_grid::whole_range(*array), music_config{ 1 });
        }
        for (int test = 0; test < num_tests; ++test) {
            const Eigen::VectorXd azimuth = directions(drawn);
            directions_of_all.row(test) = azimuth.transpose();
            const Eigen::MatrixXcd r = covariance(truth, azimuth);
            for (int k = 0; k < 3; ++k) {
                found[k].row(test) =
                    estimators[k].estimate(r, snapshots).azimuth.transpose();
            }
        }
        return {
            error(drawn, found[0], directions_of_all),
            error(drawn, aligned(drawn, found[0], directions_of_all), directions_of_all),
            error(drawn, found[1], directions_of_all),
            error(drawn, found[2], directions_of_all)
        };
    }

private:
    static double error(const gr::bearing::core::antenna_array& array,
                        const Eigen::MatrixXd& found,
                        const Eigen::MatrixXd& truth)
    {
        double sum = 0.0;
        for (Eigen::Index row = 0; row < truth.rows(); ++row) {
            const double one =
                gr::bearing::core::permuted_error(
                    array, found.row(row).transpose(), truth.row(row).transpose()) /
                degree;
            sum += array.is_front_only() ? one : one * one;
        }
        const double mean = sum / static_cast<double>(truth.rows());
        return array.is_front_only() ? mean : std::sqrt(mean);
    }

    std::mt19937_64 d_random;
};

//! Random arrays in a statistical test: fewer by default.
inline int num_arrays(int by_default, int full)
{
    const char* const value = std::getenv("BEARING_TEST_FULL");
    return value && std::string(value) == "1" ? full : by_default;
}

//! Mean and largest of what was collected.
struct collected {
    std::vector<double> values;

    void add(double value) { values.push_back(value); }
    double mean() const
    {
        double sum = 0.0;
        for (const double value : values) {
            sum += value;
        }
        return sum / static_cast<double>(values.size());
    }
    double worst() const { return *std::max_element(values.begin(), values.end()); }
    double median()
    {
        std::sort(values.begin(), values.end());
        return values[values.size() / 2];
    }
};

#endif /* INCLUDED_BEARING_TESTS_UNCALIBRATED_ARRAYS_H */
