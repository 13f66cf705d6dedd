"""Recurrent networks forecast airline passengers and daily temperatures, one step ahead, beside the naive forecasts.

A network sees the last values of a series and says the next one; then the true value arrives, and it says the one
after. It has to beat what needs no learning: that the next value is the last one ("naive"), and for the passengers that
a month is what it was a year ago, or that it differs from the last as it did then ("the change of a year ago"). The
passengers grow, and their seasons with them, so that the network works on logarithms: on how far each month's change
is from that of a year ago. The last two years of each series are held back; nothing of them is learned from, not even
the mean by which the numbers are scaled. Sizes and epochs were chosen on the two years before.

The picture: the held years of both series with the forecasts; the errors that each kind of forecast makes.

    FASTGD_DATA=path/to/data python examples/time_series.py --plot time_series.png

Needs timeseries/ in the folder FASTGD_DATA or in shared/data beside the checkout.
"""

import csv
import sys
from dataclasses import dataclass

import numpy as np
from shared import COLOURS, find_data, new_figure, read_arguments, save, show_table

import fastgd
from fastgd import layers


@dataclass
class Series:
    """A series of numbers, with what a network needs to know to forecast it.

    Attributes:
        name: the name.
        unit: of the numbers.
        values: the numbers, oldest first.
        held: how many of the last are held back.
        window: how many values the network sees.
        season: after how many steps the seasons return, 0 for a series that is taken as it is.
        units: the size of the network.
        epochs: how many epochs it needs for one of `--epochs`.
    """

    name: str
    unit: str
    values: np.ndarray
    held: int
    window: int
    season: int
    units: int
    epochs: int


def load(folder, quick):
    """Return the two series; the shortest pieces that show something for the short form."""
    columns = []
    for name in ("airline-passengers", "daily-min-temperatures"):
        with (folder / f"{name}.csv").open(newline="", encoding="utf-8") as file:
            columns.append(np.array([float(row[1]) for row in list(csv.reader(file))[1:]]))
    passengers, temperatures = columns
    if quick:
        temperatures = temperatures[-1200:]
    return [
        Series("airline passengers", "thousands a month", passengers, 24, 13, 12, 16, 3),
        Series("daily minimum temperature", "°C", temperatures, 730, 28, 0, 24, 1),
    ]


def forecast(series, epochs, bar):
    """Train a network on all but the held values, and return its forecast for each of these."""
    x = series.values
    if series.season:
        change = np.diff(np.log(x))
        x = change[series.season :] - change[: -series.season]
    known = len(x) - series.held
    mean, scale = x[:known].mean(), x[:known].std()
    x = ((x - mean) / scale)[:, None]
    windows = fastgd.utils.timeseries_dataset_from_array(
        x[: known - 1], x[series.window :], series.window, batch_size=32
    )
    pairs = [np.concatenate(parts) for parts in zip(*windows, strict=True)]
    model = fastgd.Sequential(
        [
            fastgd.Input((series.window, 1)),
            layers.GRU(series.units),
            layers.Dense(1),
        ]
    )
    model.compile(fastgd.optimizers.Adam(3e-3), "mse")
    model.fit(*pairs, batch_size=32, epochs=epochs * series.epochs, verbose=bar)
    seen = np.stack([x[k - series.window : k] for k in range(known, len(x))])
    next_value = model.predict(seen, verbose=0)[:, 0] * scale + mean
    return changed(series, np.exp(next_value)) if series.season else next_value


def changed(series, factor):
    """Return the held values if each were `factor` times what the change of a year ago would make it."""
    last = np.arange(len(series.values) - series.held, len(series.values)) - 1
    return series.values[last] * series.values[last - series.season + 1] / series.values[last - series.season] * factor


def forecasts(series, epochs, bar):
    """Return the forecasts for the held values by their names."""
    held = len(series.values) - series.held
    found = {"GRU": forecast(series, epochs, bar), "naive": series.values[held - 1 : -1]}
    if series.season:
        found["a year ago"] = series.values[held - series.season : -series.season]
        found["the change of a year ago"] = changed(series, 1.0)
    return found


def main():
    args = read_arguments(__doc__, epochs=20)
    folder = find_data("timeseries")
    if folder is None:
        print("skipped: set FASTGD_DATA to a folder that holds timeseries/")
        return
    bar = 1 if sys.stdout.isatty() else 0
    rows, drawn = [], []
    for series in load(folder, args.quick):
        print(f"{series.name}: {len(series.values)} values, the last {series.held} held back")
        found = forecasts(series, args.epochs, bar)
        truth = series.values[-series.held :]
        for name, values in found.items():
            error = values - truth
            rows.append((series.name, name, float(np.sqrt(np.mean(error**2))), float(np.mean(np.abs(error)))))
        drawn.append((series, truth, found))
    show_table(["series", "forecast", "root mean squared error", "mean absolute error"], rows)
    if args.plot:
        draw(args.plot, drawn)


def draw(path, drawn):
    """Draw the held values and the errors."""
    figure, panels = new_figure(3, "One step ahead")
    for panel, (series, truth, found) in zip(panels, drawn, strict=False):
        shown = slice(-120, None)
        panel.plot(truth[shown], color="black", linewidth=1.2, label="what came")
        for colour, (name, values) in zip(COLOURS, found.items(), strict=False):
            panel.plot(values[shown], color=colour, linewidth=1, linestyle="-" if name == "GRU" else ":", label=name)
        panel.set(title=series.name, ylabel=series.unit, xlabel="steps of the held time")
        panel.legend(fontsize=8)
    last = panels[2]
    for k, (_, truth, found) in enumerate(drawn):
        base = np.sqrt(np.mean((found["naive"] - truth) ** 2))
        for place, (name, values) in enumerate(found.items()):
            height = np.sqrt(np.mean((values - truth) ** 2)) / base
            last.bar(5 * k + place, height, color=COLOURS[place], label=name if k == 0 else None)
    last.set_xticks([1.5, 5.5], [series.name.rpartition(" ")[2] for series, _, _ in drawn])
    last.set(title="error, that of the naive forecast being 1", ylim=(0, 1.5))
    last.legend(fontsize=8)
    save(figure, path)


if __name__ == "__main__":
    main()
