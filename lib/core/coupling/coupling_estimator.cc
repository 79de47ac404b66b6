/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "fit_errors.h"
#include "likelihood_search.h"
#include "scoring.h"
#include "starting_scenes.h"
#include <gnuradio/bearing/core/coupling/coupling_estimator.h>
#include <gnuradio/bearing/core/coupling/weights_folder.h>
#include <gnuradio/bearing/core/subspace/eigendecomposition.h>
#include <gnuradio/bearing/core/subspace/signal_part.h>
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace gr {
namespace bearing {
namespace core {

namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

// Beyond this predicted deviation, in wavelengths over the aperture, bearings calibrated from
// the data at hand are no better than without: measured on lines of eight and circles of
// five, with coupling of 0.1 to 0.4.
constexpr double largest_deviation = 0.06;
// A diffused covariance still tells where the data alone tell a little less than that.
constexpr double diffused_allowance = 1.5;
// Where the strongest eigenvalue is this much above the edge of the noise, another source
// would show: if it does not, it is coherent with the first.
constexpr double clearly_above = 10.0;
// As in predict_plug_in(): below, errors are larger than predicted and not Gaussian.
constexpr double reliable_margin = 2.0;
// Where no likelihood ratio tells of a wrong optimum.
constexpr double margin_without_ratio = 4.0;
// As in predict_fit_plug_in(): nearer sources have no Gaussian errors.
constexpr double largest_share_of_distance = 0.25;

// Behind a front-only array is the mirror image of before it.
double before_the_array(const antenna_array& array, double azimuth)
{
    if (!array.is_front_only()) {
        return azimuth;
    }
    const double turned = std::remainder(azimuth, 2.0 * M_PI);
    return std::abs(turned) <= M_PI_2 ? turned : std::copysign(M_PI, turned) - turned;
}

// Irregular directions that no array or model is special for.
coupled_scene generic_scene(const coupled_covariance& model, int num_sources)
{
    coupled_scene scene;
    const int num_weights = model.model().num_weights();
    scene.weights.resize(num_weights);
    for (int j = 0; j < num_weights; ++j) {
        scene.weights(j) = 0.1 * std::sin(2.3 * j + 1.0) / (1.0 + 0.2 * j);
    }
    scene.azimuth.resize(num_sources);
    scene.power.resize(num_sources);
    for (int k = 0; k < num_sources; ++k) {
        const double place = (k + 0.5 + 0.2 * std::sin(5.0 * k + 1.0)) / num_sources;
        scene.azimuth(k) = model.array().is_front_only()
                               ? std::asin(0.95 * (2.0 * place - 1.0) + 0.02)
                               : 2.0 * M_PI * place + 0.1;
        scene.power(k) = 1.0 + 0.1 * k;
    }
    scene.noise_power = 1.0;
    return scene;
}

// Whether one covariance of so many sources (0: of some number) can tell the model, with a real
// number to spare that could contradict it.
bool can_be_told(const coupled_covariance& model, int num_sources)
{
    const int n = model.array().num_elements();
    for (int k = std::max(num_sources, 1); k < n; ++k) {
        if (model.num_parameters(k) < k * (2 * n - k) + 1 &&
            model.identify(generic_scene(model, k)).is_identifiable()) {
            return true;
        }
        if (num_sources > 0) {
            return false;
        }
    }
    return false;
}

std::string of_sources(int num_sources)
{
    return num_sources == 0 ? "whatever the number of sources"
                            : "with " + std::to_string(num_sources) + " sources";
}

bool has_trained_basis(coupling_knowledge prior)
{
    return prior == coupling_knowledge::gaussian || prior == coupling_knowledge::coupling;
}

bool is_diffused(coupling_knowledge prior)
{
    return prior == coupling_knowledge::covariance ||
           prior == coupling_knowledge::snapshot;
}

void require_consistent(const antenna_array& array, const coupling_config& config)
{
    const int n = array.num_elements();
    if (n < 2) {
        throw std::invalid_argument(
            "array has 1 element; direction finding needs at least 2");
    }
    if (config.num_sources < 0 || config.num_sources >= n) {
        throw std::invalid_argument(
            "num_sources is " + std::to_string(config.num_sources) + "; an array of " +
            std::to_string(n) + " elements allows 0 (count them) to " +
            std::to_string(n - 1));
    }
    if (config.prior != coupling_knowledge::none &&
        (config.model || config.known_weights)) {
        throw std::invalid_argument("model and known_weights go with prior none only; "
                                    "other priors bring their own");
    }
    if (config.sampling.steps < 2) {
        throw std::invalid_argument("sampling_steps is " +
                                    std::to_string(config.sampling.steps) +
                                    "; it must be >= 2");
    }
    if (config.sampling.samples < 1) {
        throw std::invalid_argument("sampling_count is " +
                                    std::to_string(config.sampling.samples) +
                                    "; it must be >= 1");
    }
    if (has_trained_basis(config.prior) &&
        config.criterion == coupling_criterion::frobenius) {
        throw std::invalid_argument("criterion is frobenius, which has no place for the "
                                    "priors gaussian and coupling; it must be ml");
    }
    if (config.known_weights && config.criterion == coupling_criterion::frobenius) {
        throw std::invalid_argument("criterion is frobenius, which has no place for "
                                    "known_weights; it must be ml");
    }
    if (is_diffused(config.prior) && !config.powers_and_noise) {
        throw std::invalid_argument("powers_and_noise is false; it must be true with the "
                                    "priors covariance and snapshot");
    }
}

// Added as information: what data tell need not be all of w.
std::optional<weight_prior> with_evidence(const std::optional<weight_prior>& prior,
                                          const weight_evidence& learnt)
{
    const Eigen::Index m = learnt.information.rows();
    if (m == 0) {
        return prior;
    }
    Eigen::MatrixXd information = learnt.information;
    Eigen::VectorXd times_weights = learnt.information_times_weights;
    if (prior) {
        const Eigen::MatrixXd known = precision(*prior, m);
        information += known;
        times_weights += known * prior->mean;
    }
    weight_prior result;
    result.covariance = inverse_information(information);
    if (result.covariance.size() == 0) {
        return prior;
    }
    result.mean = result.covariance * times_weights;
    return result;
}

// An estimate in which nothing was found.
coupling_estimate empty_estimate(const coupling_model& model)
{
    coupling_estimate result;
    result.coupling = model.mean();
    result.noise_power = nan;
    result.glrt = nan;
    result.glrt_limit = nan;
    return result;
}

// Why there is no result to be trusted.
struct objection {
    core::status status;
    std::string reason;
};

const objection too_little_data{ status::low_snr,
                                 "too few snapshots or too weak sources to calibrate "
                                 "from: bearings would become worse" };

// What stays when the data cannot calibrate: bearings without any correction.
coupling_estimate uncorrected(const coupling_model& model,
                              const bearing_estimate& music,
                              double noise_power,
                              const objection& why)
{
    coupling_estimate result = empty_estimate(model);
    result.bearings = music;
    result.bearings.deviation.setConstant(nan);
    result.bearings.status = why.status;
    result.power = Eigen::pow(10.0, music.power_db.array() / 10.0);
    result.noise_power = noise_power;
    result.is_gated = true;
    result.reason = why.reason;
    return result;
}

std::string why_nothing(status s)
{
    switch (s) {
    case status::bad_data:
        return "the covariance holds values that are not finite, no power, or a dead "
               "channel, or is not Hermitian";
    case status::no_source:
        return "no source rises from the noise";
    default:
        return "sources cannot be counted without the number of snapshots, or fill all "
               "dimensions";
    }
}

// The eigenvalues, and what they say of the sources.
struct observation {
    Eigen::VectorXd values;
    int num_sources;
    std::size_t snapshots;
    double noise_power;

    // Whether likelihoods can be compared with that of any covariance.
    bool has_ratio() const
    {
        return snapshots >= static_cast<std::size_t>(values.size());
    }
    bool has_looks() const { return snapshots > static_cast<std::size_t>(num_sources); }
    // A fit takes K dimensions from the noise, and finds it too small by as much.
    double widening() const
    {
        return has_looks() ? std::sqrt(static_cast<double>(snapshots) /
                                       static_cast<double>(snapshots - num_sources))
                           : 1.0;
    }
    // Sources that rise to so many times the edge of the noise.
    int num_above(double margin) const
    {
        return above_noise(values, num_sources, noise_power, snapshots, margin).dimension;
    }
    // Whether another source of about its power would show beside the strongest.
    bool is_strong() const
    {
        return values(0) >
               clearly_above * noise_edge(values.size(), snapshots) *
                   above_noise(values, num_sources, noise_power, snapshots, 1.0)
                       .noise_power;
    }
};

observation
observe(const Eigen::MatrixXcd& covariance, int num_sources, std::size_t snapshots)
{
    observation seen{ eigenvalues(covariance), num_sources, snapshots, 0.0 };
    const Eigen::VectorXd& values = seen.values;
    seen.noise_power = std::max(
        seen.has_looks()
            ? sampled_noise_power(values, num_sources, static_cast<double>(snapshots))
            : values.tail(values.size() - num_sources).mean(),
        rounding_of(values));
    return seen;
}

std::optional<objection> object_to_signal(const observation& seen)
{
    const std::string sources = std::to_string(seen.num_sources) + " sources";
    if (seen.snapshots > 0 && !seen.has_looks()) {
        return objection{ status::low_snr,
                          std::to_string(seen.snapshots) +
                              " snapshots are not more than the " + sources };
    }
    // Between the edge and twice the edge it may be a source or noise.
    if (seen.is_strong() && seen.num_above(reliable_margin) < seen.num_sources) {
        return objection{
            status::unresolved,
            "only " + std::to_string(seen.num_above(reliable_margin)) + " of " + sources +
                " rise clearly from the noise: the others are coherent with "
                "them or far weaker"
        };
    }
    if (seen.num_above(1.0) < seen.num_sources) {
        return objection{ status::low_snr,
                          "only " + std::to_string(seen.num_above(1.0)) + " of " +
                              sources + " rise from the noise" };
    }
    return std::nullopt;
}

std::optional<objection> object_to_search(const likelihood_search& search)
{
    const coupled_covariance& model = search.likelihood().model();
    if (!std::isfinite(search.best().cost)) {
        return objection{ status::unresolved, "no fit of the model was found" };
    }
    if (!search.is_plausible()) {
        return objection{
            status::not_identifiable,
            "only coupling as strong as the elements' own response explains "
            "the data"
        };
    }
    if (search.has_rival()) {
        return objection{ status::not_identifiable,
                          "other directions with another coupling explain the data as "
                          "well" };
    }
    if (!search.prior() && !model.identify(search.best().scene).is_identifiable()) {
        return objection{ status::not_identifiable,
                          "these sources do not tell all the weights of the coupling" };
    }
    return std::nullopt;
}

// Root mean square over sources, radians; NaN: unknown.
double rms_deviation(const fit_errors& errors, int num_weights, int num_sources)
{
    return errors.covariance.size() > 0 ? std::sqrt(errors.covariance.diagonal()
                                                        .segment(num_weights, num_sources)
                                                        .mean())
                                        : nan;
}

// Bearings and powers of a scene, strongest first. \p errors over x; empty: unknown
void fill(const coupled_scene& scene,
          const Eigen::MatrixXd& errors,
          const antenna_array& array,
          coupling_estimate& result)
{
    const Eigen::Index m = scene.weights.size();
    const Eigen::Index num_sources = scene.azimuth.size();
    std::vector<Eigen::Index> order(num_sources);
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(), [&](Eigen::Index i, Eigen::Index k) {
        return scene.power(i) > scene.power(k);
    });
    bearing_estimate& bearings = result.bearings;
    bearings.num_sources = static_cast<int>(num_sources);
    bearings.is_front_only = array.is_front_only();
    bearings.azimuth.resize(num_sources);
    bearings.deviation = Eigen::VectorXd::Constant(num_sources, nan);
    bearings.power_db.resize(num_sources);
    bearings.snr_db.resize(num_sources);
    result.power.resize(num_sources);
    for (Eigen::Index k = 0; k < num_sources; ++k) {
        const Eigen::Index from = order[k];
        bearings.azimuth(k) =
            reported_azimuth(array, before_the_array(array, scene.azimuth(from)));
        if (errors.size() > 0) {
            bearings.deviation(k) = std::sqrt(errors(m + from, m + from));
        }
        result.power(k) = scene.power(from);
        bearings.power_db(k) = to_db(result.power(k));
        bearings.snr_db(k) = to_db(result.power(k) / scene.noise_power);
    }
    result.weights = scene.weights;
    result.noise_power = scene.noise_power;
}

// Directions told apart and away from a line's ends; others lose their deviation.
bool keep_reliable(const antenna_array& array, bearing_estimate& bearings)
{
    const Eigen::Index num_sources = bearings.azimuth.size();
    Eigen::VectorXd reliable = bearings.deviation;
    for (Eigen::Index k = 0; k < num_sources; ++k) {
        for (Eigen::Index i = 0; i < num_sources; ++i) {
            const double distance = std::abs(
                std::remainder(bearings.azimuth(k) - bearings.azimuth(i), 2.0 * M_PI));
            if (i != k && bearings.deviation(k) > largest_share_of_distance * distance) {
                reliable(k) = nan;
            }
        }
        if (!is_off_endfire(array, bearings.azimuth(k), bearings.deviation(k))) {
            reliable(k) = nan;
        }
    }
    bearings.deviation = reliable;
    return reliable.allFinite();
}

// What the result is worth.
void judge(const observation& seen,
           const coupling_config& config,
           bool is_told_by_noise_subspace,
           const antenna_array& array,
           coupling_estimate& result)
{
    const auto spoil = [&](status why, const std::string& reason) {
        result.bearings.deviation.setConstant(nan);
        result.bearings.status = why;
        result.reason = reason;
    };
    const bool has_deviations = result.bearings.deviation.allFinite();
    const bool is_reliable = keep_reliable(array, result.bearings);
    if (seen.snapshots == 0) {
        spoil(status::not_identifiable, "the number of snapshots is unknown");
    } else if (!seen.has_ratio() &&
               seen.num_above(margin_without_ratio) < seen.num_sources) {
        spoil(status::low_snr, "sources too weak for fewer snapshots than elements");
    } else if (seen.num_above(reliable_margin) < seen.num_sources) {
        spoil(status::low_snr, "sources too weak for predicted deviations to hold");
    } else if (result.glrt > result.glrt_limit) {
        spoil(status::model_mismatch,
              "the covariance contradicts the model: likelihood ratio " +
                  std::to_string(std::lround(result.glrt)) + ", limit " +
                  std::to_string(std::lround(result.glrt_limit)));
    } else if (!config.powers_and_noise) {
        spoil(status::model_mismatch,
              "sources of equal power without noise were fitted, and there is noise");
    } else if (has_deviations && !is_reliable) {
        // Other sources' deviations still hold.
        result.bearings.status = status::unresolved;
        result.reason = "sources too close to each other or to the line's ends";
    } else if (!is_told_by_noise_subspace) {
        spoil(status::not_identifiable,
              "the noise subspace has nothing to spare over directions and coupling: "
              "errors are not predicted");
    } else if (is_diffused(config.prior)) {
        result.reason = "nobody knows the deviations of what a network made of the data";
    }
}

} // namespace

coupling_knowledge coupling_knowledge_from_string(const std::string& name)
{
    const std::pair<const char*, coupling_knowledge> names[] = {
        { "none", coupling_knowledge::none },
        { "gaussian", coupling_knowledge::gaussian },
        { "coupling", coupling_knowledge::coupling },
        { "covariance", coupling_knowledge::covariance },
        { "snapshot", coupling_knowledge::snapshot }
    };
    for (const auto& [text, knowledge] : names) {
        if (name == text) {
            return knowledge;
        }
    }
    throw std::invalid_argument(
        "prior is '" + name +
        "'; it must be 'none', 'gaussian', 'coupling', 'covariance' or 'snapshot'");
}

coupling_criterion coupling_criterion_from_string(const std::string& name)
{
    if (name == "ml") {
        return coupling_criterion::ml;
    }
    if (name == "frobenius") {
        return coupling_criterion::frobenius;
    }
    throw std::invalid_argument("criterion is '" + name +
                                "'; it must be 'ml' or 'frobenius'");
}

// A fit by the configured method.
struct coupling_estimator::fitted {
    coupled_fit fit;
    fit_errors errors;
};

coupling_estimator::coupling_estimator(const antenna_array& array, coupling_config config)
    : d_config(std::move(config))
{
    set_array(array);
}

coupling_estimator coupling_estimator::adapted(const antenna_array& array,
                                               int num_sources) const
{
    coupling_estimator result = *this;
    result.d_config.num_sources = num_sources;
    result.set_array(array);
    return result;
}

void coupling_estimator::set_array(const antenna_array& array)
{
    require_consistent(array, d_config);
    if (has_trained_basis(d_config.prior)) {
        d_coupling_prior =
            weights_for(array, d_config.weights, "coupling", d_coupling_prior);
        d_covariance =
            std::make_shared<const coupled_covariance>(array, d_coupling_prior->model());
    } else {
        d_covariance = std::make_shared<const coupled_covariance>(
            array,
            d_config.model ? *d_config.model
                           : coupling_model::of_array(array, d_config.coefficients));
        if (!d_config.known_weights &&
            !can_be_told(*d_covariance, d_config.num_sources)) {
            if (d_config.model) {
                throw std::invalid_argument(
                    "model has " + std::to_string(d_config.model->num_weights()) +
                    " weights, more than one covariance of " +
                    std::to_string(array.num_elements()) + " elements can tell " +
                    of_sources(d_config.num_sources));
            }
            int most = d_config.coefficients - 1;
            while (most > 1 &&
                   !can_be_told(
                       coupled_covariance(array, coupling_model::of_array(array, most)),
                       d_config.num_sources)) {
                --most;
            }
            throw std::invalid_argument(
                "coefficients is " + std::to_string(d_config.coefficients) +
                ", more than one covariance of " + std::to_string(array.num_elements()) +
                " elements can tell " + of_sources(d_config.num_sources) +
                "; allowed are 1 to " + std::to_string(most));
        }
        if (d_config.known_weights) {
            precision(*d_config.known_weights, d_covariance->model().num_weights());
        }
    }
    if (d_config.prior == coupling_knowledge::covariance) {
        d_covariance_prior =
            weights_for(array, d_config.weights, "covariance", d_covariance_prior);
    }
    if (d_config.prior == coupling_knowledge::snapshot) {
        d_snapshot_prior =
            weights_for(array, d_config.weights, "snapshot", d_snapshot_prior);
    }
    d_music = std::make_shared<const music_estimator>(plain_music(
        centre_array(*d_covariance), d_config.num_sources, d_config.counting));
}

std::optional<weight_prior>
coupling_estimator::combined_weights(const weight_evidence& learnt) const
{
    return with_evidence(
        d_coupling_prior ? d_coupling_prior->gaussian() : d_config.known_weights, learnt);
}

bool coupling_estimator::is_likelihood() const
{
    return d_config.criterion == coupling_criterion::ml && !is_diffused(d_config.prior);
}

coupling_estimate
coupling_estimator::estimate(const Eigen::Ref<const Eigen::MatrixXcd>& covariance,
                             std::size_t snapshots,
                             const Eigen::Ref<const Eigen::MatrixXcd>& samples,
                             const weight_evidence& learnt) const
{
    const bool has_learnt = learnt.information.size() > 0;
    if (d_snapshot_prior &&
        (samples.rows() != array().num_elements() || samples.cols() < 1)) {
        throw std::invalid_argument(
            "samples is " + std::to_string(samples.rows()) + " x " +
            std::to_string(samples.cols()) +
            "; prior snapshot needs the samples behind R, N x T, N = " +
            std::to_string(array().num_elements()));
    }
    if (has_learnt && !is_likelihood()) {
        throw std::invalid_argument("learnt weights need criterion ml and prior none, "
                                    "gaussian or coupling");
    }
    bearing_estimate music = d_music->estimate(covariance, snapshots);
    music.spectrum_db.resize(0);
    music.grid.resize(0);
    const int num_sources = music.num_sources;
    if (music.status == status::bad_data || music.status == status::no_source ||
        num_sources < 1 || num_sources >= array().num_elements()) {
        coupling_estimate result = empty_estimate(model());
        result.bearings = music;
        result.power = music.power_db;
        result.reason = why_nothing(music.status);
        return result;
    }

    const observation seen = observe(covariance, num_sources, snapshots);
    const auto without = [&](const objection& why) {
        return uncorrected(model(), music, seen.noise_power, why);
    };
    if (const std::optional<objection> why = object_to_signal(seen)) {
        return without(*why);
    }
    likelihood_search search(
        *d_covariance, covariance, snapshots, combined_weights(learnt), seen.noise_power);
    search.run(music.azimuth, d_music->array());
    if (const std::optional<objection> why = object_to_search(search)) {
        return without(*why);
    }
    const double most_uncertain =
        largest_deviation / array().aperture() *
        (is_diffused(d_config.prior) ? diffused_allowance : 1.0) / seen.widening();
    const int num_weights = model().num_weights();
    const auto is_too_uncertain = [&](const fit_errors& errors) {
        return snapshots > 0 &&
               !(rms_deviation(errors, num_weights, num_sources) <= most_uncertain);
    };
    if (is_too_uncertain(search.errors())) {
        return without(too_little_data);
    }

    const fitted found = refine(search, music, covariance, samples, !has_learnt);
    if (!is_likelihood() && found.errors.covariance.size() > 0 &&
        is_too_uncertain(found.errors)) {
        return without(too_little_data);
    }
    coupling_estimate result = empty_estimate(model());
    result.coupling = model().coupling(found.fit.scene.weights);
    result.glrt = search.ratio();
    result.glrt_limit = search.limit();
    result.iterations = found.fit.iterations;
    fill(found.fit.scene,
         snapshots > 0 ? found.errors.covariance : Eigen::MatrixXd(),
         array(),
         result);
    result.bearings.deviation *= seen.widening();
    if (is_likelihood() && snapshots > 0) {
        result.evidence = evidence_of_weights(
            search.likelihood(), found.fit.scene, found.errors.information);
    }
    judge(seen, d_config, search.is_told_by_noise_subspace(num_sources), array(), result);
    return result;
}

coupling_estimator::fitted coupling_estimator::refine(const likelihood_search& search,
                                                      const bearing_estimate& music,
                                                      const Eigen::MatrixXcd& covariance,
                                                      const Eigen::MatrixXcd& samples,
                                                      bool may_sample) const
{
    const coupled_fit& best = search.best();
    const std::size_t snapshots = search.likelihood().snapshots();
    fitted result{ best, search.errors() };
    if (d_config.prior == coupling_knowledge::coupling && may_sample) {
        const coupled_fit sampled = sample_coupling(
            search.likelihood(), *d_coupling_prior, best.scene, d_config.sampling);
        // What contradicts the data while a Gaussian prior does not comes from the network.
        const bool is_sound =
            std::isfinite(sampled.cost) &&
            !(search.likelihood().likelihood_ratio(sampled.scene) > search.limit() &&
              search.ratio() <= search.limit());
        if (is_sound) {
            result.fit = sampled;
            result.errors = likelihood_errors(
                *d_covariance, sampled.scene, snapshots, search.prior());
        }
    } else if (is_diffused(d_config.prior)) {
        const double noise_power = best.scene.noise_power;
        Eigen::MatrixXcd target;
        if (d_covariance_prior) {
            target = d_covariance_prior->diffuse(
                covariance, static_cast<int>(best.scene.azimuth.size()), snapshots);
        } else {
            const Eigen::MatrixXcd clean =
                d_snapshot_prior->diffuse(samples, noise_power);
            target = clean * clean.adjoint() / static_cast<double>(clean.cols());
        }
        target.diagonal().array() += noise_power;
        result.fit =
            d_config.criterion == coupling_criterion::ml
                ? likelihood_fit(*d_covariance, target, snapshots).minimise(best.scene)
                : frobenius_fit(*d_covariance, target)
                      .minimise(best.scene, d_config.search);
        // Nobody knows the errors of what a network made of the data.
        result.errors = fit_errors();
    } else if (d_config.criterion == coupling_criterion::frobenius) {
        coupled_scene start =
            music.azimuth.allFinite() ? search.start(music.azimuth) : best.scene;
        const double noise_power = start.noise_power;
        // Sources of power 1 are what the form without powers is made for.
        const double unit = d_config.powers_and_noise ? 1.0 : start.power.mean();
        start.power /= unit;
        start.noise_power /= unit;
        result.fit =
            frobenius_fit(*d_covariance, covariance / unit, d_config.powers_and_noise)
                .minimise(start, d_config.search);
        result.fit.scene.power *= unit;
        result.fit.scene.noise_power *= unit;
        if (d_config.powers_and_noise) {
            result.errors =
                least_squares_errors(*d_covariance, result.fit.scene, snapshots);
        } else {
            result.fit.scene.noise_power = noise_power;
            result.errors = fit_errors();
        }
        return result;
    } else {
        return result;
    }
    result.fit.iterations += best.iterations;
    return result;
}

} // namespace core
} // namespace bearing
} // namespace gr
