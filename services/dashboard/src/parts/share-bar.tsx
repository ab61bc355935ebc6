/*
 * A thin bar as wide as a share (0 to 1) of the cell's width. Drawn in SVG, because the page's security policy allows no
 * style attributes.
 */
type Props = { readonly share: number; readonly tone: 'bad' | 'plain' };

export function ShareBar({ share, tone }: Props) {
  const width = share <= 0 ? 0 : Math.max(share * 100, 1.5);
  return (
    <svg className={`share-bar ${tone}`} viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true">
      {width > 0 && <rect width={width} height="4" />}
    </svg>
  );
}
