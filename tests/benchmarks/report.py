#!/usr/bin/python3
# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs the benchmarks and writes what they measured as Markdown and a figure.

usage: PYTHONPATH=build/test_modules tests/benchmarks/report.py [--load] [--quick]
           [--programs FOLDER] [--page FILE] [--figure FILE] [--json FILE]

--programs  the built benchmark programs; default: build/tests/benchmarks
--page      where the report goes: between the two report marks of a page that has them, else a
            page of its own; without: to the terminal
--figure    a PNG; without: none
--json      all that the programs said; without: none
--load      measures all twice: on the machine as it is, and with a process that keeps one more
            core busy
--quick     a few of them, in seconds: whether the report works, not how fast the machine is

Every figure is a ratio of things that were timed in turn within one run. On a shared machine times
mean nothing by themselves, and neither do those of two runs beside each other.

The exit status is 1 if a program is not there or fails, or if a target is missed or not measured.
--quick measures too little to judge targets by. The report is written in any case.
"""

import argparse
import contextlib
import json
import math
import os
import pathlib
import re
import subprocess
import sys

import numpy as np
import scipy
from gnuradio import bearing, gr

from targets import TARGETS

HERE = pathlib.Path(__file__).resolve().parent
SOURCE_DIR = HERE.parents[1]
BEGIN_MARK, END_MARK = "<!-- begin report -->", "<!-- end report -->"

# Of each program, which of its benchmarks; None: all.
FULL_RUN = {
    "bm_covariance": "covariance/(ratio_vs_volk|error).*",
    "bm_spectrum": None,
    "bm_root_music": None,
    "bm_flowgraph": None,
    "covariance_numpy.py": (),
    "music_numpy.py": (),
    "root_music_numpy.py": (),
    "cpu_share.py": (),
    "latency.py": (),
}
QUICK_RUN = {
    "bm_covariance": "covariance/ratio_vs_volk/(5|16)/",
    "covariance_numpy.py": ("--rounds", "2"),
    "cpu_share.py": ("--rounds", "1", "--seconds", "0.2"),
}
# Flowgraphs again with the whole process on one core.
ONE_CORE_RUN = {"bm_flowgraph": "flowgraph/(covariance/(5|16)/4096/|estimators/)"}

# Ends with its parent, however that ends.
BUSY = """
import os
parent = os.getppid()
while os.getppid() == parent:
    for _ in range(1000000):
        pass
"""


@contextlib.contextmanager
def busy_core():
    process = subprocess.Popen([sys.executable, "-c", BUSY])
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def flattened(values, path=""):
    """{benchmark: {counter: number}} of a tree of dicts whose leaves are numbers. Those of a list
    are named by their number of elements, or their place."""
    result = {}
    for key, value in values.items():
        if isinstance(value, list):
            value = {str(one.get("elements", place)): one
                     for place, one in enumerate(value) if isinstance(one, dict)}
        if isinstance(value, dict):
            result.update(flattened(value, f"{path}/{key}" if path else key))
        elif isinstance(value, (int, float)) and not isinstance(value, bool):
            result.setdefault(path, {})[key] = value
    return result


def of_google_benchmark(said, failures):
    standard = {"family_index", "per_family_instance_index", "repetitions", "repetition_index",
                "threads", "iterations", "real_time", "cpu_time"}
    result = {}
    for one in said["benchmarks"]:
        name = re.sub(r"/iterations:\d+$", "", one["name"])
        if one.get("error_occurred"):
            failures.append(f"{name}: {one.get('error_message')}")
            continue
        result[name] = {key: value for key, value in one.items()
                        if isinstance(value, (int, float)) and key not in standard}
    return result


def run(program, options, folder, failures, cores=None):
    """What a program says; empty, and one more of the failures: it is not there, or fails."""
    is_script = program.endswith(".py")
    path = HERE / program if is_script else folder / program
    if not path.exists():
        failures.append(f"{program}: not there")
        return {}
    if is_script:
        command = [sys.executable, "-B", str(path), *options]
    else:
        command = [str(path), "--benchmark_format=json"]
        if options:
            command.append(f"--benchmark_filter={options}")
    print(program, *([f"on {len(cores)} core"] if cores else []), file=sys.stderr, flush=True)
    limit = (lambda: os.sched_setaffinity(0, cores)) if cores else None
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          preexec_fn=limit, check=False)
    try:
        done.check_returncode()
        said = json.loads(done.stdout)
    except (subprocess.CalledProcessError, json.JSONDecodeError) as error:
        failures.append(f"{program}: {error}\n{done.stderr}")
        return {}
    return flattened(said) if is_script else of_google_benchmark(said, failures)


def measure(plan, folder, failures):
    return {program: run(program, options, folder, failures)
            for program, options in plan.items()}


def number(value):
    if value is None:
        return "not measured"
    if value == 0.0 or not math.isfinite(value):
        return str(value)
    if abs(value) < 1e-3:
        return f"{value:.1e}"
    digits = max(0, 2 - math.floor(math.log10(abs(value))))
    return f"{value:.{min(digits, 2)}f}"


def percentage(value):
    return "not measured" if value is None else f"{100.0 * value:.0f} %"


def table(header, rows):
    if not rows:
        return "not measured"
    lines = ["| " + " | ".join(header) + " |", "|" + "---|" * len(header)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])


def version_of_volk():
    with contextlib.suppress(OSError, subprocess.CalledProcessError):
        return subprocess.run(["volk-config-info", "--version"], check=True, capture_output=True,
                              text=True).stdout.strip().lstrip("v")
    return "unknown"


def version_of_eigen():
    header = pathlib.Path("/usr/include/eigen3/Eigen/src/Core/util/Macros.h")
    with contextlib.suppress(OSError):
        parts = re.findall(r"#define EIGEN_(?:WORLD|MAJOR|MINOR)_VERSION (\d+)",
                           header.read_text())
        return ".".join(parts)
    return "unknown"


def vector_kernel():
    return bearing.core.covariance_kernel()


# Load average above which throughputs by wall time are of less than the whole machine: such a run
# is not called quiet.
IDLE_LOAD = 0.5


def machine(loads):
    model = "unknown processor"
    with contextlib.suppress(OSError):
        cpuinfo = pathlib.Path("/proc/cpuinfo").read_text()
        found = re.search(r"model name\s*:\s*(.*)", cpuinfo)
        model = found.group(1).strip() if found else model
    return (f"{model}, {os.cpu_count()} cores, vector kernels \"{vector_kernel()}\"; GNU Radio "
            f"{gr.version()}, VOLK {version_of_volk()}, Eigen {version_of_eigen()}, "
            f"NumPy {np.__version__}, SciPy {scipy.__version__}."
            + "".join(f" Load average of a minute, \"{name}\": {before:.1f} before, {after:.1f} at "
                      "the end." for name, (before, after) in loads.items())
            + (" The benchmarks themselves count." if loads else ""))


def labels_of(cases_of_limit):
    """N = 4, 5, 8"""
    labels = [case.label for case in cases_of_limit]
    if all(label.startswith("N = ") for label in labels):
        return "N = " + ", ".join(label[4:] for label in labels)
    return ", ".join(labels)


def verdict(target, results):
    if target.kernels and vector_kernel() not in target.kernels:
        return "no such vectors here"
    return {True: "yes", False: "**no**", None: "not measured"}[target.holds(results)]


def missed(results):
    return [f"{target.name}, {name}: {said}"
            for name, of_condition in results.items() for target in TARGETS
            if (said := verdict(target, of_condition).strip("*")) in ("no", "not measured")]


def targets_table(results):
    conditions = list(results)
    header = ["", "what", "limit", *conditions, *(f"holds, {name}" for name in conditions)]
    rows = []
    for target in TARGETS:
        form = percentage if target.is_percentage else number
        limits = {}
        for case in target.cases:
            limits.setdefault(case.limit, []).append(case)
        bound = "≤" if target.is_upper_bound else "≥"
        limit = "; ".join(
            f"{bound} " + (f"{100 * value:g} %" if target.is_percentage else f"{value:g}")
            + (f" ({labels_of(of_limit)})" if len(limits) > 1 else "")
            for value, of_limit in limits.items())
        cells = []
        for name in conditions:
            values = [(case, target.measured(case, results[name])) for case in target.cases]
            if all(value is None for _, value in values):
                cells.append("not measured")
            elif len(values) == 1:
                cells.append(form(values[0][1]))
            else:
                cells.append("; ".join(f"{case.label}: {form(value)}" for case, value in values))
        holds = [verdict(target, results[name]) for name in conditions]
        rows.append([target.name, target.about, limit, *cells, *holds])
    return table(header, rows)


def cases(results, program, pattern):
    """[(numbers in the name, counters)], in their order."""
    found = []
    for name, counters in results.get(program, {}).items():
        match = re.fullmatch(pattern, name)
        if match:
            found.append((tuple(int(group) for group in match.groups()), counters))
    return sorted(found, key=lambda one: one[0])


def kernel_table(results):
    rows = [[str(n), number(c.get("Msamples/s/channel")), percentage(c.get("share_of_fma_peak")),
             number(c.get("ratio_vs_volk")), number(c.get("ratio_vs_eigen_native")),
             number(c.get("ratio_vs_eigen")), percentage(c.get("misaligned_speed"))]
            for (n,), c in cases(results, "bm_covariance", r"covariance/ratio_vs_volk/(\d+)")]
    return table(["N", "Msamples/s an element", "of the peak of multiply-adds (N² a vector)",
                  "times VOLK's pairs", "times Eigen's rankUpdate, compiled for this processor",
                  "the same, compiled for any",
                  "8 bytes off alignment: of this"], rows)


def numpy_table(results):
    rows = []
    for program in ("covariance_numpy.py", "music_numpy.py", "root_music_numpy.py"):
        for name, counters in results.get(program, {}).items():
            ratios = [f"{key.replace('_', ' ')}: {number(value)}"
                      for key, value in counters.items()
                      if any(word in key for word in ("vs", "over", "ratio"))]
            if ratios:
                rows.append([f"`{program}` {name}", "; ".join(ratios)])
    return table(["from Python", "times as fast as"], rows)


def flowgraph_table(results):
    pattern = r"flowgraph/covariance/(\d+)/(\d+)"
    rows = [[str(n), str(t), number(c.get("Msamples/s/channel")),
             percentage(c.get("share_of_consumer")),
             percentage(c.get("share_of_large_consumer")), number(c.get("ratio_vs_volk")),
             number(c.get("ratio_vs_volk_cpu")), number(c.get("ratio_vs_large_volk")),
             number(c.get("ratio_vs_large_volk_cpu"))]
            for (n, t), c in cases(results, "bm_flowgraph", pattern)]
    return table(["N", "T", "Msamples/s an element", "of a flowgraph that only consumes",
                  "the same, with buffers as large", "times a block of VOLK's pairs",
                  "the same, by processor time", "times that block, with buffers as large",
                  "the same, by processor time"], rows)


def estimators_table(results, one_core):
    """Estimators and cores: every ratio is to the same flowgraph without estimators."""
    pattern = r"flowgraph/estimators/(\d+)/(\d+)/(\d+)"
    alone = dict(cases(one_core, "bm_flowgraph", pattern))
    rows = []
    for key, counters in cases(results, "bm_flowgraph", pattern):
        n, t, number_of = key
        rows.append([str(number_of), str(n), str(t),
                     percentage(counters.get("share_of_covariance")),
                     percentage(alone.get(key, {}).get("share_of_covariance"))])
    return table(["MUSIC estimators", "N", "T", f"all {os.cpu_count()} cores", "one core"], rows)


def cores_table(results, one_core):
    """Each run against its own flowgraph that only consumes; not against the other run."""
    pattern = r"flowgraph/covariance/(\d+)/(\d+)"
    single = dict(cases(one_core, "bm_flowgraph", pattern))
    rows = []
    for key, counters in cases(results, "bm_flowgraph", pattern):
        if key in single:
            one = single[key]
            rows.append([str(key[0]), str(key[1]), percentage(counters.get("share_of_consumer")),
                         percentage(one.get("share_of_consumer"))])
    return table(["N", "T", f"of a flowgraph that only consumes, all {os.cpu_count()} cores",
                  "the same, one core"], rows)


def receiver_table(results):
    rows = [[name, condition, number(c.get("ratio")), percentage(c.get("rate_reached")),
             number(c.get("bearings_a_second"))]
            for condition, of_condition in results.items()
            for name, c in of_condition.get("cpu_share.py", {}).items()]
    return table(["", "machine", "processor time, with our blocks over without",
                  "of the sample rate was reached", "bearings a second, each channel"], rows)


def latency_table(results):
    rows = []
    for name, c in results.get("latency.py", {}).items():
        label = f"T = {name}" if name.isdigit() else name
        rows.append([label, f"{c['duration_ms']:g} ms", f"{number(100 * c['median'])} %",
                     f"{number(100 * c['95 %'])} %"])
    return table(["", "an item lasts", "median delay, of that", "95 % are earlier than"], rows)


def sections(results, one_core, loads):
    first = next(iter(results.values()))
    yield "What was measured on", machine(loads)
    yield "Targets", targets_table(results)
    yield "Covariance kernel, T = 4096, one core", kernel_table(first)
    yield "Against NumPy and SciPy, one thread", numpy_table(first)
    yield "Flowgraphs, sources that cost nothing", flowgraph_table(first)
    yield "Estimators behind one covariance: share of the throughput without them", \
        estimators_table(first, one_core)
    yield "Cores", cores_table(first, one_core)
    yield "Processor time at a radio's rate (G1, G2)", receiver_table(results)
    yield "From the last sample of an item to its bearing", latency_table(first)


def markdown(results, one_core, loads, level="###"):
    return "\n\n".join(
        f"{level} {title}\n\n{text}" for title, text in sections(results, one_core, loads))


def write_page(path, report):
    page = path.read_text(encoding="utf-8") if path.exists() else ""
    if BEGIN_MARK in page and END_MARK in page:
        before, rest = page.split(BEGIN_MARK, 1)
        after = rest.split(END_MARK, 1)[1]
        path.write_text(f"{before}{BEGIN_MARK}\n\n{report}\n\n{END_MARK}{after}", encoding="utf-8")
    else:
        path.write_text(report + "\n", encoding="utf-8")


def draw(results, path):
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt
    from gnuradio.bearing.colours import BLUE, GREEN, VERMILION

    first = next(iter(results.values()))
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4.6), layout="constrained")

    def curve(axes, found, counter, colour, label, scale=1.0):
        points = [(key[0], scale * c[counter]) for key, c in found if counter in c]
        if points:
            axes.plot(*zip(*points), "o-", color=colour, label=label)

    kernel = cases(first, "bm_covariance", r"covariance/ratio_vs_volk/(\d+)")
    curve(left, kernel, "ratio_vs_volk", BLUE, "VOLK's pairs")
    curve(left, kernel, "ratio_vs_eigen_native", VERMILION,
          "Eigen's rankUpdate, compiled for this processor")
    left.set(title="covariance kernel", ylabel="times as fast as")
    graph = cases(first, "bm_flowgraph", r"flowgraph/covariance/(\d+)/4096")
    curve(right, kernel, "share_of_fma_peak", GREEN, "kernel: of the peak of multiply-adds", 100)
    curve(right, graph, "share_of_consumer", BLUE, "flowgraph: of one that only consumes", 100)
    curve(right, graph, "share_of_large_consumer", VERMILION,
          "flowgraph: of one with buffers as large", 100)
    right.set(title="shares", ylabel="%")
    for axes in (left, right):
        axes.set_xscale("log", base=2)
        axes.set_xticks([2, 4, 8, 16, 32, 64], ["2", "4", "8", "16", "32", "64"])
        axes.set(xlabel="elements", xlim=(1.8, 72))
        axes.set_ylim(bottom=0)
        axes.grid(alpha=0.3)
        if axes.lines:
            # Below the curves, which may be anywhere.
            axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.16), frameon=False)
    figure.savefig(path, dpi=100)
    plt.close(figure)


def require_places(parser, arguments):
    """Ends with a message before anything is measured, where the report could not be written."""
    if not arguments.programs.is_dir():
        # The scripts need none of it, and are measured all the same.
        print(f"--programs: there is no folder {arguments.programs}", file=sys.stderr)
    for name in ("page", "figure", "json"):
        path = getattr(arguments, name)
        if path is None:
            continue
        if not path.parent.is_dir():
            parser.error(f"--{name}: there is no folder {path.parent}")
        if path.is_dir() or not os.access(path if path.exists() else path.parent, os.W_OK):
            parser.error(f"--{name}: {path} cannot be written")


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--programs", type=pathlib.Path,
                        default=SOURCE_DIR / "build" / "tests" / "benchmarks")
    parser.add_argument("--page", type=pathlib.Path)
    parser.add_argument("--figure", type=pathlib.Path)
    parser.add_argument("--json", type=pathlib.Path)
    parser.add_argument("--load", action="store_true")
    parser.add_argument("--quick", action="store_true")
    arguments = parser.parse_args()
    require_places(parser, arguments)

    plan = QUICK_RUN if arguments.quick else FULL_RUN
    failures, results, loads = [], {}, {}

    def measure_all(condition, load_before):
        results[condition] = measure(plan, arguments.programs, failures)
        loads[condition] = (load_before, os.getloadavg()[0])

    load = os.getloadavg()[0]
    measure_all("quiet" if load <= IDLE_LOAD else f"as found, load average {load:.1f}", load)
    one_core = {}
    if not arguments.quick:
        cores = {min(os.sched_getaffinity(0))}
        one_core = {program: run(program, options, arguments.programs, failures, cores)
                    for program, options in ONE_CORE_RUN.items()}
    if arguments.load:
        with busy_core() as process:
            measure_all("one core busy", os.getloadavg()[0])
            if process.poll() is not None:
                failures.append("the process that keeps a core busy ended early")

    report = markdown(results, one_core, loads)
    if arguments.json:
        arguments.json.write_text(json.dumps(
            {"results": results, "one core": one_core, "loads": loads}, indent=1))
    if arguments.figure:
        draw(results, arguments.figure)
    if arguments.page:
        write_page(arguments.page, report)
    else:
        print(report)
    if not arguments.quick:
        failures += missed(results)
    for failure in failures:
        print(failure, file=sys.stderr)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
