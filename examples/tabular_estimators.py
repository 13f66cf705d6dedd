"""Estimators on tables: incomes, tumours and wines, beside scikit-learn's perceptrons and linear models.

- Adult census: accuracy and area under the curve on the official test set, for the same arguments.
- Mammography, 2.3 % positive: average precision over five folds, with and without `class_weight`.
- White wines: the error of the grade over five folds; a rare bad grade counts less for Huber's loss.

The picture shows accuracy against epochs on adult, precision against recall on mammography, and the losses on wines.
Needs scikit-learn and tabular/ in the folder that FASTGD_DATA names, or in shared/data beside the checkout; without
them the example says so and ends.
"""

import csv
import gzip
import sys
import warnings

import numpy as np
from rich.console import Console
from rich.progress import Progress
from shared import find_data, new_figure, read_arguments, save, show_table

CATEGORIES = (1, 3, 5, 6, 7, 8, 9, 13)


def read_adult(path):
    """Return the columns of the census as objects, and whether somebody earns more than 50,000 dollars."""
    with gzip.open(path, "rt") as file:
        rows = [row for row in csv.reader(file, skipinitialspace=True) if len(row) == 15]
    table = np.array([row[:14] for row in rows], dtype=object)
    return table, np.array([row[14].startswith(">50K") for row in rows])


def encode_adult(train, test):
    """Return numbers standardised and categories one-hot, by what the rows to train on know."""
    from sklearn.compose import make_column_transformer
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    numbers = [column for column in range(14) if column not in CATEGORIES]
    encoder = make_column_transformer(
        (StandardScaler(), numbers),
        (OneHotEncoder(handle_unknown="ignore"), list(CATEGORIES)),
        sparse_threshold=0,
    )
    return encoder.fit_transform(train), encoder.transform(test)


def census(folder, args, step):
    """Train on the census; return rows of the table and the estimators."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import accuracy_score, roc_auc_score
    from sklearn.neural_network import MLPClassifier

    from fastgd import estimators

    x_train, y_train = read_adult(folder / "adult-train.csv.gz")
    x_test, y_test = read_adult(folder / "adult-test.csv.gz")
    if args.quick:
        x_train, y_train = x_train[:2000], y_train[:2000]
    x_train, x_test = encode_adult(x_train, x_test)
    settings = {"early_stopping": True, "n_iter_no_change": 5, "max_iter": args.epochs, "random_state": 0}
    models = {
        "logistic regression, scikit-learn": LogisticRegression(max_iter=1000),
        "logistic regression, fastgd": estimators.LogisticRegression(max_iter=1000),
        "MLP, scikit-learn": MLPClassifier(**settings),
        "MLP, fastgd": estimators.MLPClassifier(**settings),
        "MLP, fastgd, dropout 0.3, by loss": estimators.MLPClassifier(dropout=0.3, scoring="loss", **settings),
    }
    rows = []
    for name, model in models.items():
        chance = model.fit(x_train, y_train).predict_proba(x_test)[:, 1]
        rows.append([name, accuracy_score(y_test, chance > 0.5), roc_auc_score(y_test, chance)])
        step()
    return rows, models


def tumours(folder, args, step):
    """Return average precisions on mammography, and the chances that each model gives held samples."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import average_precision_score
    from sklearn.model_selection import StratifiedKFold
    from sklearn.neural_network import MLPClassifier

    from fastgd import estimators

    with (folder / "mammography.csv").open(newline="") as file:
        table = [[*map(float, row[:6]), row[6] == "'1'"] for row in csv.reader(file)]
    x, y = np.array(table, dtype=float)[:, :6], np.array([row[6] for row in table])
    settings = {"hidden_layer_sizes": (32,), "learning_rate_init": 0.003, "max_iter": args.epochs, "random_state": 0}
    models = {
        "logistic regression, scikit-learn": LogisticRegression(),
        "MLP, scikit-learn": MLPClassifier(**settings),
        "MLP, fastgd": estimators.MLPClassifier(**settings),
        "MLP, fastgd, class_weight='balanced'": estimators.MLPClassifier(class_weight="balanced", **settings),
    }
    rows, chances = [], {}
    folds = list(StratifiedKFold(5, shuffle=True, random_state=0).split(x, y))[: 2 if args.quick else 5]
    for name, model in models.items():
        chance = np.full(len(y), np.nan)
        for train, test in folds:
            chance[test] = model.fit(x[train], y[train]).predict_proba(x[test])[:, 1]
        scores = [average_precision_score(y[test], chance[test]) for _, test in folds]
        held = ~np.isnan(chance)
        found = (chance > 0.5)[held & y].mean()
        rows.append([name, np.mean(scores), np.std(scores), found])
        chances[name] = y[held], chance[held]
        step()
    return rows, chances


def wines(folder, args, step):
    """Return errors on white wines, and the last perceptron with its curves."""
    from sklearn.linear_model import LinearRegression
    from sklearn.model_selection import KFold
    from sklearn.neural_network import MLPRegressor
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    from fastgd import estimators

    # One wine in five is listed more than once, and would be trained on and held.
    table = np.unique(np.loadtxt(folder / "winequality-white.csv", delimiter=","), axis=0)
    x, y = table[:, :-1], table[:, -1]
    settings = {"hidden_layer_sizes": (64, 32), "alpha": 3.0, "learning_rate_init": 0.003, "random_state": 0}
    settings["max_iter"] = args.epochs
    models = {
        "linear regression, scikit-learn": LinearRegression(),
        "MLP, scikit-learn": MLPRegressor(**settings),
        "MLP, fastgd": estimators.MLPRegressor(**settings),
        "MLP, fastgd, Huber, dropout 0.2": estimators.MLPRegressor("huber", dropout=0.2, **settings),
    }
    rows = []
    folds = list(KFold(5, shuffle=True, random_state=0).split(x))[: 2 if args.quick else 5]
    for name, model in models.items():
        errors = []
        for train, test in folds:
            pipeline = make_pipeline(StandardScaler(), model).fit(x[train], y[train])
            residuals = pipeline.predict(x[test]) - y[test]
            errors.append([np.sqrt(np.mean(residuals**2)), np.abs(residuals).mean()])
        rows.append([name, *np.mean(errors, axis=0)])
        step()
    train, test = folds[0]
    scaler = StandardScaler().fit(x[train])
    curves = estimators.MLPRegressor(**settings)
    curves.fit(scaler.transform(x[train]), y[train], eval_set=(scaler.transform(x[test]), y[test]))
    step()
    return rows, curves


def draw(path, models, chances, curves):
    """Draw the three panels."""
    from sklearn.metrics import precision_recall_curve

    figure, axes = new_figure(3, "Estimators on tables")
    for name in ("MLP, scikit-learn", "MLP, fastgd"):
        scores = models[name].validation_scores_
        axes[0].plot(range(1, len(scores) + 1), scores, label=name)
    axes[0].set(title="adult census", xlabel="epoch", ylabel="accuracy on held rows")
    for name, (y, chance) in chances.items():
        precision, recall, _ = precision_recall_curve(y, chance)
        axes[1].plot(recall, precision, label=name.replace("class_weight=", ""), linewidth=1)
    axes[1].set(title="mammography", xlabel="recall", ylabel="precision")
    epochs = range(1, len(curves.loss_curve_) + 1)
    axes[2].plot(epochs, curves.loss_curve_, label="training, with penalty")
    axes[2].plot(epochs, curves.validation_loss_curve_, label="held wines")
    axes[2].set(title="white wines, fastgd", xlabel="epoch", ylabel="loss", yscale="log")
    for axis in axes:
        axis.legend(fontsize=7)
    save(figure, path)


def main():
    """Train on the three tables and print what came of it."""
    args = read_arguments(__doc__, 50)
    folder = find_data("tabular")
    try:
        import sklearn  # noqa: F401 - only to know
    except ImportError:
        print("skipped: the estimators need scikit-learn (pip install 'fastgd[sklearn]')")
        return 0
    if folder is None:
        print("skipped: set FASTGD_DATA to a folder that holds tabular/")
        return 0
    # Where the epochs are over before nothing improves, both libraries say so.
    warnings.simplefilter("ignore")
    with Progress(console=Console(), transient=True) as progress:
        task = progress.add_task("training", total=14)
        adult, models = census(folder, args, lambda: progress.advance(task))
        mammography, chances = tumours(folder, args, lambda: progress.advance(task))
        wine, curves = wines(folder, args, lambda: progress.advance(task))
    show_table(["adult census", "accuracy", "AUC"], adult)
    show_table(["mammography", "average precision", "std", "found at 0.5"], mammography)
    show_table(["white wines", "RMSE", "MAE"], wine)
    if args.plot:
        draw(args.plot, models, chances, curves)
    return 0


if __name__ == "__main__":
    sys.exit(main())
