/*
 * Colours of the charts, read from the CSS variables of the theme in force: they are defined once, in tokens.css.
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
