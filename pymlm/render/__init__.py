"""Results as text: R's print, other systems', Markdown, LaTeX, HTML."""
