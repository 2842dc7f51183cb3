#!/bin/sh
# Builds the TensorRT engines of this model repository and checks each against its ONNX graph. To be run where they
# will be served, in @IMAGE@ (TensorRT @TENSORRT@):
#
#   docker run --rm --gpus all -v "$PWD:/models" @IMAGE@ /models/build-engines
set -eu
export LC_ALL=C

usage() {
    cat <<'END'
Usage: build-engines [OPTION]...

Builds MODEL/1/model.plan out of MODEL/1/model.onnx for this machine's GPU and checks it against what ONNX Runtime
computed at the export. An engine that is there already, for the same model, GPU, TensorRT and arguments, is kept.

  --dry-run           print every command, run none
  --only MODEL        this model alone; may be given several times
  --device N          the GPU, by its number (default: 0)
  --workspace MIB     scratch memory that a kernel may use (default: @WORKSPACE@)
  --no-check          build only
  --force             go on where the TensorRT version or the GPU's memory does not fit
  --help              this text

Needed: trtexec (on the path, in /usr/src/tensorrt/bin, or $TRTEXEC), nvidia-smi, sha256sum, python3 for the check.
Logs go to MODEL/build.log. An engine serves the GPU model and the TensorRT version that it was built with, no other.
END
}

fail() {
    printf 'build-engines: %s\n' "$*" >&2
    exit 1
}

models='@MODELS@'
dry_run=false check=true force=false device=0 workspace=@WORKSPACE@ only=
while [ $# -gt 0 ]; do
    case $1 in
        --dry-run) dry_run=true ;;
        --no-check) check=false ;;
        --force) force=true ;;
        --only | --device | --workspace)
            [ $# -ge 2 ] || fail "$1 needs a value"
            case $1 in
                --only) only="$only $2" ;;
                --device) device=$2 ;;
                --workspace) workspace=$2 ;;
            esac
            shift
            ;;
        --help)
            usage
            exit 0
            ;;
        *) fail "unknown option $1; --help lists them" ;;
    esac
    shift
done

case $device in '' | *[!0-9]*) fail "--device is a number, not '$device'" ;; esac
case $workspace in '' | *[!0-9]*) fail "--workspace is a number of MiB, not '$workspace'" ;; esac
for model in $only; do
    case " $models " in *" $model "*) ;; *) fail "no engine for '$model'; there are: $models" ;; esac
done

cd -- "$(dirname -- "$0")"
trtexec=${TRTEXEC:-$(command -v trtexec || echo /usr/src/tensorrt/bin/trtexec)}

# The version and the GPU that an engine is bound to; a refusal that --force turns into a warning.
refuse() {
    if $force; then printf 'warning: %s\n' "$*" >&2; else fail "$* (--force goes on)"; fi
}

inspect_machine() {
    command -v "$trtexec" >/dev/null || fail "no trtexec: run this in @IMAGE@, or set TRTEXEC"
    version=$("$trtexec" --help 2>/dev/null | sed -n 's/.*\[TensorRT v\([0-9]*\)\].*/\1/p' | head -n 1)
    case $version in
        @TENSORRT_PREFIX@??) ;;
        *) refuse "trtexec is of TensorRT ${version:-of unknown version}, @IMAGE@ has @TENSORRT@ (@TENSORRT_PREFIX@xx)" ;;
    esac
    command -v nvidia-smi >/dev/null || fail "no nvidia-smi: start the container with --gpus all"
    gpu=$(nvidia-smi -i "$device" --query-gpu=name --format=csv,noheader) \
        || fail "nvidia-smi finds no GPU $device: $gpu"
    printf 'TensorRT %s, GPU %s: %s\n' "$version" "$device" "$gpu"
}

# build MODEL SHA256 LEAST_MIB USUAL_MIB ARGUMENT...
build() {
    model=$1 sha256=$2 least=$3 usual=$4
    shift 4
    case " ${only:-$model} " in *" $model "*) ;; *) return 0 ;; esac
    plan=$model/1/model.plan log=$model/build.log
    set -- "$trtexec" "--onnx=$model/1/model.onnx" "--saveEngine=$plan.part" --timingCacheFile=timing.cache \
        "--memPoolSize=workspace:$workspace" "--device=$device" --skipInference "$@"
    if $dry_run; then
        printf '%s\n' "$*" "mv $plan.part $plan"
        return 0
    fi

    actual=$(for file in "$model"/1/model.onnx "$model"/1/model.onnx.*; do
        [ ! -e "$file" ] || cat "$file"
    done | sha256sum | cut -d ' ' -f 1)
    [ "$actual" = "$sha256" ] \
        || fail "$model/1/model.onnx is not what was exported (sha256 $actual, not $sha256): export it again"
    stamp="$sha256 TensorRT $version, $gpu: $*"
    if [ -e "$plan" ] && [ "$(cat "$plan.built" 2>/dev/null)" = "$stamp" ]; then
        printf '%s: kept\n' "$model"
        return 0
    fi

    free=$(nvidia-smi -i "$device" --query-gpu=memory.free --format=csv,noheader,nounits)
    if [ "$free" -lt "$least" ]; then
        refuse "$model needs at least $least MiB of GPU memory, $free are free: end what else uses the GPU," \
            "or take another with --device"
    elif [ "$free" -lt "$usual" ]; then
        printf 'note: %s may need %s MiB of GPU memory for its largest batch, %s are free\n' \
            "$model" "$usual" "$free" >&2
    fi
    printf '%s: building, log in %s\n' "$model" "$log"
    rm -f "$plan" "$plan.built"
    if ! "$@" >"$log" 2>&1; then
        tail -n 20 "$log" >&2
        fail "$model: trtexec failed, all of it is in $log"
    fi
    mv "$plan.part" "$plan"
    printf '%s\n' "$stamp" >"$plan.built"
    printf '%s: built, %s\n' "$model" "$(du -h "$plan" | cut -f 1)"
}

$dry_run || inspect_machine
@BUILDS@
if $check; then
    set -- python3 check-engines.py --trtexec "$trtexec" --device "$device"
    for model in ${only:-$models}; do set -- "$@" "$model"; done
    if $dry_run; then printf '%s\n' "$*"; else "$@"; fi
fi
