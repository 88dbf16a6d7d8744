// The map of dF/F in colours: blue below, white at, orange above the baseline, which colour-blind people tell apart.

const STOPS = [[0, 69, 133], [247, 247, 247], [230, 97, 0]];
export const RANGES = [0.5, 1, 2, 5, 10, 20];

const mixed = (share) => {
  const [from, to] = share < 0.5 ? STOPS : STOPS.slice(1);
  const part = share < 0.5 ? share * 2 : share * 2 - 1;
  return from.map((value, place) => Math.round(value + (to[place] - value) * part));
};

export const GRADIENT = `linear-gradient(to right, ${STOPS.map((stop) => `rgb(${stop.join(" ")})`).join(", ")})`;

export class Colours {
  // `end`: dF/F at the ends of the grey values; see dff_code in pictures.py.
  constructor(end, percent) {
    this.table = Uint32Array.from({ length: 256 }, (_, code) => {
      const root = (code - 128) / 127;
      const dff = Math.sign(root) * root * root * end;
      const share = Math.min(1, Math.max(0, 0.5 + (dff * 100) / percent / 2));
      const [red, green, blue] = mixed(share);
      return 0xff000000 | (blue << 16) | (green << 8) | red;
    });
    this.own = document.createElement("canvas");
  }

  // Draws a grey picture in colours.
  paint(context, picture, width, height) {
    const { own } = this;
    if (own.width !== picture.width || own.height !== picture.height) {
      [own.width, own.height] = [picture.width, picture.height];
    }
    const small = own.getContext("2d", { willReadFrequently: true });
    small.drawImage(picture, 0, 0);
    const image = small.getImageData(0, 0, own.width, own.height);
    const bytes = image.data;
    const pixels = new Uint32Array(bytes.buffer);
    for (let pixel = 0; pixel < pixels.length; pixel++) pixels[pixel] = this.table[bytes[4 * pixel]];
    small.putImageData(image, 0, 0);
    context.imageSmoothingEnabled = true;
    context.drawImage(own, 0, 0, width, height);
  }
}
