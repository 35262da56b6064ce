/** The path of a line through points, from 0 at the bottom to the largest at the top; level where there is nothing. Pure. */
export function sparklinePath(points: readonly number[], width: number, height: number): string {
  const room = height - 2;
  const largest = Math.max(...points, 0);
  return points
    .map((point, index) => {
      const x = points.length > 1 ? (index * width) / (points.length - 1) : width;
      const y = largest > 0 ? 1 + room * (1 - point / largest) : height - 1;
      return `${index === 0 ? 'M' : 'L'}${x.toFixed(1)} ${y.toFixed(1)}`;
    })
    .join('');
}
