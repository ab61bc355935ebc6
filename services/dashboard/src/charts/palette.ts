/*
 * Colours of the charts, read from the CSS variables of the present theme, which tokens.css defines.
 */
import { useMemo } from 'react';
import { type Theme, useTheme } from '../state/theme.js';

export type Palette = { readonly theme: Theme; readonly colour: (variable: string) => string };

export function usePalette(): Palette {
  const theme = useTheme();
  return useMemo(() => {
    const style = getComputedStyle(document.documentElement);
    return { theme, colour: (variable) => style.getPropertyValue(variable).trim() };
  }, [theme]);
}
