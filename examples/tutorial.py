"""The tutorial that every Keras course begins with, on handwritten digits; only its import is changed."""

import os

import numpy as np

import fastgd as keras

# A short form for checks that only want to see it run.
SMOKE = os.environ.get("FASTGD_SMOKE") == "1"

(X_train, y_train), (X_test, y_test) = keras.datasets.digits.load_data()

# Pixels to [0, 1] in float64, as dividing gives them, and targets one-hot.
X_train = X_train.reshape(len(X_train), -1) / 16.0
X_test = X_test.reshape(len(X_test), -1) / 16.0
y_train = np.eye(10)[y_train]
y_test = np.eye(10)[y_test]

input_size = X_train.shape[1]
output_size = y_train.shape[1]

model = keras.Sequential(
    [
        keras.layers.Dense(64, activation="relu", input_shape=(input_size,)),
        keras.layers.Dense(32, activation="relu"),
        keras.layers.Dense(output_size, activation="softmax"),
    ]
)
model.compile(optimizer="sgd", loss="categorical_crossentropy", metrics=["accuracy"])
model.summary()
model.fit(X_train, y_train, epochs=1 if SMOKE else 10, batch_size=32)

loss, accuracy = model.evaluate(X_test, y_test)
print(f"test accuracy: {accuracy:.4f}")

probabilities = model.predict(X_test[:5])
print("predicted:", probabilities.argmax(axis=1), "true:", y_test[:5].argmax(axis=1))
