# To be sourced: the recipes of docs/operations.md.

operations=$(realpath "$(dirname "${BASH_SOURCE[0]}")/../../docs/operations.md")

# Prints the recipe of a name: the block of code behind a line `<!-- tried: NAME -->`. False when there is none.
recipe_text() {
  awk -v mark="<!-- tried: $1 -->" '
    $0 == mark { found = 1; next }
    found && /^```/ { if (inside) exit; inside = 1; next }
    inside { print; lines++ }
    END { exit !lines }' "$operations"
}
