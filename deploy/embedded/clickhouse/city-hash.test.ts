import { describe, expect, test } from 'vitest';
import { cityHash128 } from './city-hash.ts';

/**
 * Length of a text and its hash, made with `CH128` of github.com/go-faster/city 1.0.1, the checksum of ClickHouse's Go client. The
 * lengths lie around the ones at which the function goes another way.
 */
const VECTORS: [length: number, hash: string][] = [
  [0, '2b9ac064fc9df03d291ee592c340b53c'],
  [1, '35cb458e18a1b57b3bf5e8762a3f1bbe'],
  [2, '1bc3856c8eb0aea954e0d17c4d60f083'],
  [3, '97dbaa4b23873359d76f4da14aa02cab'],
  [4, '409d628d699652201cc3295de318c7c2'],
  [7, '4c63a06ca64b18b8a9dba28e6dfa96cb'],
  [8, '35ae07e23589d0560464a5e6f6556a39'],
  [9, 'cc11223d25f91533e0a49787ca80e17b'],
  [12, '7612af5fa8a6527225d039993134d56b'],
  [15, '4ca75bbb48fd3f258febd8c8103df2ae'],
  [16, 'bfae257a6638548d79bae02d6e787d93'],
  [17, '51235b76d274fc40a07d35002977b55c'],
  [19, '980deb13e033a5d140f5b770273dd4f9'],
  [20, '853524d66abcae9d35527e0d1440bef4'],
  [23, '2bad2ca3c85d6bf868fa74d0f2f29882'],
  [24, '204a192efd3a4a5d45e70adcf4f35860'],
  [25, 'fa65de92e4d01077050a1364e6e0eb58'],
  [31, 'c3b47507b0f3897db290089db28dec5b'],
  [32, '70929bd4f66947731d61107ea8611688'],
  [33, '20cc5e1b3d60a4785c63d322e03ae7a3'],
  [40, 'd9e310aba3d8b0e7f26395529ed76691'],
  [48, '873e961ed5beafc55d0af5aaed0cec10'],
  [49, '79e48b221727133d782c41a257c32b7e'],
  [63, '0242b35dac69417574bcfcecb2df6555'],
  [64, '82370a6a0cb3c33a52aa264c8070ebb3'],
  [65, '54b5aa2a2c386fc23dd6b8b6b054b3df'],
  [127, 'd52392c1b1b3578b49f0cbed3c55480a'],
  [128, '7da0f3976e184cf851ea0beac5020800'],
  [129, '3ca0744a2fe3b8e78a467ec05b3289e7'],
  [143, '71aec16a5ca409dd6b91fcf7c7447ca3'],
  [144, 'a8d1fad616aa5a21f10f4dac7275ced4'],
  [145, '04e240604874d77f9622548934b1003a'],
  [160, 'f7a95f2f89e27883d60eddba028fbc55'],
  [175, 'a1dccfc836459f4aa5d33232aca32e3d'],
  [176, 'f73b0ef00cec8d2dffc312c47a80b556'],
  [177, '4a632fe228cdcc0ce033300cbe4ee7e2'],
  [200, '2d59868a50028ae109665a8668d47cdb'],
  [255, '0d542c8af13b9dee00b914f4a2526925'],
  [256, '531f95ff6f4d6e393e843bf2799f3a14'],
  [271, '0b625f043f0df61981fc33519fd41377'],
  [272, '4691a6807d1753ed7332b71a29bb0106'],
  [273, 'df0d379475021d7e02a441cb21a5fcdf'],
  [300, 'd508f6cf8a6108016981b971d161a155'],
  [400, '117c2476b6481096540717640d5669b2'],
  [1000, '8d5fdca12058a718a5277c14dd8639b0'],
  [4096, '1d4016879848e3d876fa64c294fe9058'],
  [65545, '19b797b7d0cdeb3e6aa80dc99e07d291'],
  [262153, '74b906c8078bbf3f8eac9b68cd50ea70'],
];

/** A text that both sides can make: the high bytes of a linear congruential generator that starts at length + 1. */
function textOf(length: number): Buffer {
  const text = Buffer.alloc(length);
  let state = length + 1;
  for (let index = 0; index < length; index++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    text[index] = state >>> 24;
  }
  return text;
}

describe('CityHash128', () => {
  test.each(VECTORS)('of %i bytes is what ClickHouse’s clients compute', (length, hash) => {
    expect(cityHash128(textOf(length)).toString('hex')).toBe(hash);
  });
});
