/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_GNURADIO_BEARING_CORE_COUPLING_COUPLING_ESTIMATOR_H
#define INCLUDED_GNURADIO_BEARING_CORE_COUPLING_COUPLING_ESTIMATOR_H

#include <gnuradio/bearing/api.h>
#include <gnuradio/bearing/core/array/antenna_array.h>
#include <gnuradio/bearing/core/coupling/coupled_covariance.h>
#include <gnuradio/bearing/core/coupling/coupling_prior.h>
#include <gnuradio/bearing/core/coupling/covariance_prior.h>
#include <gnuradio/bearing/core/coupling/frobenius_fit.h>
#include <gnuradio/bearing/core/coupling/snapshot_prior.h>
#include <gnuradio/bearing/core/subspace/bearing_estimate.h>
#include <gnuradio/bearing/core/subspace/music.h>
#include <gnuradio/bearing/core/subspace/source_count.h>
#include <Eigen/Dense>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>

namespace gr {
namespace bearing {
namespace core {

class likelihood_search;

//! What is known of the coupling beforehand.
enum class coupling_knowledge {
    none,       //!< the array's structure: Toeplitz on lines, circulant on circles
    gaussian,   //!< principal components of simulated antennas, Gaussian
    coupling,   //!< the same with a diffusion prior
    covariance, //!< the array's structure, fitted to a covariance from a diffusion prior
    snapshot    //!< likewise with single snapshots
};
//! \throws std::invalid_argument naming prior and what is allowed
BEARING_API coupling_knowledge coupling_knowledge_from_string(const std::string& name);

//! What is fitted.
enum class coupling_criterion {
    ml,       //!< stochastic maximum likelihood: likelihood_fit
    frobenius //!< frobenius_fit
};
//! \throws std::invalid_argument naming criterion and what is allowed
BEARING_API coupling_criterion coupling_criterion_from_string(const std::string& name);

//! How a coupling_estimator works.
struct coupling_config {
    //! K, 1 .. N-1; 0: count the sources
    int num_sources = 0;
    count_method counting = count_method::ratio;
    coupling_knowledge prior = coupling_knowledge::none;
    coupling_criterion criterion = coupling_criterion::ml;
    //! of the array's structure, c_0 = 1 included; not used with gaussian and coupling
    int coefficients = 3;
    //! weights file; empty: find_weights()
    std::string weights = {};
    //! in place of the array's structure, with prior none only
    std::optional<coupling_model> model = std::nullopt;
    //! of w, with prior none only
    std::optional<weight_prior> known_weights = std::nullopt;
    //! of criterion frobenius
    frobenius_search search = frobenius_search::levenberg_marquardt;
    bool powers_and_noise = true;
    coupling_sampling sampling = {};
};

//! Coupling and bearings found together.
struct BEARING_API coupling_estimate {
    //! directions under \p coupling, strongest first. Status: ok; low_snr when gated or too weak for
    //! deviations to hold;
    //! model_mismatch when glrt is above its limit; unresolved when sources are coherent or fell
    //! together; not_identifiable, no_source, bad_data as everywhere
    bearing_estimate bearings;
    //! C, N x N; that of the model's centre when gated or when nothing was found
    Eigen::MatrixXcd coupling;
    //! w, and what the data alone tell of it, a prior not being part of it: information, and
    //! information times the w that the data would choose. Empty when gated or when nothing
    //! was found; the last two also with priors covariance and snapshot, criterion frobenius
    //! and an unknown number of snapshots
    Eigen::VectorXd weights;
    weight_evidence evidence;
    //! p, K, per element, as the bearings; NaN with them
    Eigen::VectorXd power;
    double noise_power = 0.0; //!< s2; NaN when nothing was found
    //! likelihood ratio of the best likelihood (whatever the criterion) against any covariance;
    //! it judges the model. NaN where it cannot tell (fewer snapshots than
    //! elements, an unknown number)
    double glrt = 0.0;
    double glrt_limit = 0.0; //!< above it the model is wrong, false alarms 1 %
    int iterations = 0;
    //! bearings are those without correction; status and reason say why
    bool is_gated = false;
    //! what stands behind the status, a sentence; may be empty with ok
    std::string reason;
};

/*!
 * \brief Mutual coupling and bearings of all sources from one covariance.
 *
 * Starts from MUSIC with the coupling at the centre of the model. Deviations are those of the
 * Cramer-Rao bound with the coupling unknown.
 *
 * What one covariance can tell: symmetric banded Toeplitz and circulant coupling of few
 * coefficients; never any C whatever. The constructor refuses more parameters than one
 * covariance of the array can tell; estimate() refuses what the scene at hand does not tell.
 */
class BEARING_API coupling_estimator
{
public:
    //! \throws std::invalid_argument naming the parameter; std::runtime_error for a weights file
    //! that is missing or damaged
    coupling_estimator(const antenna_array& array, coupling_config config = {});

    /*!
     * \param covariance R, N x N
     * \param snapshots number behind R, L; 0: unknown: deviations and glrt are then NaN
     * \param samples X, N x T, for prior snapshot only; else empty
     * \param learnt of w from other covariances, on top of what is known anyway; criterion ml
     * with priors none, gaussian and coupling (which then is taken as Gaussian) only
     * \throws std::invalid_argument when sizes differ or samples are missing
     */
    coupling_estimate
    estimate(const Eigen::Ref<const Eigen::MatrixXcd>& covariance,
             std::size_t snapshots,
             const Eigen::Ref<const Eigen::MatrixXcd>& samples = Eigen::MatrixXcd(),
             const weight_evidence& learnt = {}) const;

    /*!
     * \brief The same for another calibration, wavelength or place of the array's elements, and
     * another number of sources. Weights are read again only where those at hand are not for
     * \p array.
     * \throws as the constructor
     */
    coupling_estimator adapted(const antenna_array& array, int num_sources) const;

    const antenna_array& array() const { return d_covariance->array(); }
    const coupling_model& model() const { return d_covariance->model(); }
    const coupling_config& config() const { return d_config; }

    //! What is known of w before any data (known_weights, or N(0, I) of simulated antennas)
    //! together with what was learnt from other covariances.
    std::optional<weight_prior>
    combined_weights(const weight_evidence& learnt = {}) const;

private:
    struct fitted;
    void set_array(const antenna_array& array);
    bool is_likelihood() const;
    fitted refine(const likelihood_search& search,
                  const bearing_estimate& music,
                  const Eigen::MatrixXcd& covariance,
                  const Eigen::MatrixXcd& samples,
                  bool may_sample) const;

    coupling_config d_config;
    std::shared_ptr<const coupled_covariance> d_covariance;
    std::shared_ptr<const music_estimator> d_music;
    std::shared_ptr<const coupling_prior> d_coupling_prior;
    std::shared_ptr<const covariance_prior> d_covariance_prior;
    std::shared_ptr<const snapshot_prior> d_snapshot_prior;
};

} // namespace core
} // namespace bearing
} // namespace gr

#endif /* INCLUDED_GNURADIO_BEARING_CORE_COUPLING_COUPLING_ESTIMATOR_H */
