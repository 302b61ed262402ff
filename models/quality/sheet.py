"""Pictures of samples to look at."""

import numpy as np
from PIL import Image, ImageDraw


def contact(path, pictures, columns, scale):
    """A sheet of arrays (height x width, or x 3), uint8, each enlarged scale times without smoothing."""
    h, w = pictures[0].shape[:2]
    rows = -(-len(pictures) // columns)
    sheet = np.full((rows * (h + 1) + 1, columns * (w + 1) + 1, 3), 128, np.uint8)
    for i, p in enumerate(pictures):
        y, x = i // columns * (h + 1) + 1, i % columns * (w + 1) + 1
        sheet[y : y + h, x : x + w] = p if p.ndim == 3 else p[..., None]
    Image.fromarray(sheet).resize((sheet.shape[1] * scale, sheet.shape[0] * scale), Image.NEAREST).save(path)


def spectrograms(path, made, real):
    """Log spectrograms, 5 a row: made ones first, then real ones, each a pair of a name and a sound. 60 dB from black to
    white, 0 to half the sampling rate from bottom to top, time in equal steps, 1 s wide."""

    def picture(x):
        x = np.pad(x, (0, max(0, 256 - len(x))))
        frames = np.lib.stride_tricks.sliding_window_view(x, 256)[::32] * np.hanning(256)
        db = 20 * np.log10(np.abs(np.fft.rfft(frames)).T[::-1] + 1e-9)
        grey = np.clip((db - db.max() + 60) / 60, 0, 1) * 255
        out = np.zeros((129, 250), np.uint8)
        out[:, : min(250, grey.shape[1])] = grey[:, :250]
        return out

    entries = [(f"{n}", s) for n, s in made] + [(f"{n} (real)", s) for n, s in real]
    rows = -(-len(entries) // 5)
    sheet = Image.new("L", (5 * 256, rows * 148), 40)
    draw = ImageDraw.Draw(sheet)
    for i, (name, sound) in enumerate(entries):
        x, y = i % 5 * 256 + 3, i // 5 * 148
        draw.text((x, y + 2), name, fill=255)
        sheet.paste(Image.fromarray(picture(sound)), (x, y + 15))
    sheet.save(path)
