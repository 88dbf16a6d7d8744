#!/usr/bin/env bash
# Have a Raspberry Pi's kernel let go of an output when the program that drives it dies, now where the kernel allows it
# and from each start on, so that a pull-down closes the valve of a guardian that was killed. Needs root; called by
# install_rig.sh. Safe to run again: a line that is there, whatever it says, is left as it is. $1: another root, for tests.
set -euo pipefail
root=${1:-}
line=dtparam=strict_gpiod
config=$root/boot/firmware/config.txt
[ -f "$config" ] || config=$root/boot/config.txt
say() { echo "strict_gpio: $*" >&2; }

for parameter in "$root"/sys/module/pinctrl_*/parameters/persist_gpio_outputs; do
    [ -f "$parameter" ] || continue
    if echo N 2>/dev/null >"$parameter"; then say "outputs are let go now: $parameter"; fi
done

if [ ! -f "$config" ]; then
    say "no /boot/firmware/config.txt here; add the line $line to this Pi's own, and restart"
    exit 0
fi
if grep -Eq '^[[:space:]]*dtparam=([^#]*,)?strict_gpiod' "$config"; then
    exit 0
fi
# Whole or not at all: a Pi with half a config.txt may not start.
cp "$config" "$config.rigloop" || { say "add the line $line to $config yourself, and restart"; exit 2; }
{
    # The last line may lack its end.
    if [ -s "$config" ] && [ -n "$(tail -c 1 "$config")" ]; then echo; fi
    printf '\n[all]\n# Outputs of a program that dies are let go (Rigloop: the valve closes).\n%s\n' "$line"
} >>"$config.rigloop"
sync "$config.rigloop"
mv "$config.rigloop" "$config"
say "added $line to $config; it holds from the next start on"
