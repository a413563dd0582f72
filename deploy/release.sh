#!/usr/bin/env bash
# What a release offers, with checksums, made from a clean checkout with the .NET SDK alone:
#
#   deploy/release.sh            # into artifacts/release
#   RIDS=linux-x64 deploy/release.sh
#
# - SafeLlama.VERSION.nupkg                  dotnet tool install --global SafeLlama --source FOLDER
# - safellama-VERSION-RID.tar.gz or .zip     a folder that runs without .NET: the program and the base of the miniature
# - SHA256SUMS
set -euo pipefail
[ $# -eq 0 ] || { echo "usage: [RIDS=...] [OUT=...] deploy/release.sh: it takes no arguments, found: $*" >&2; exit 2; }
cd "$(dirname "$0")/.."

rids=${RIDS:-linux-x64 win-x64 osx-arm64}
out=${OUT:-artifacts/release}
version=$(dotnet msbuild src/Cli -getProperty:Version)
if [ -e "$out" ]; then
    echo "$out is there already: name another with OUT, or remove it" >&2
    exit 2
fi

mkdir -p "$out"
dotnet pack src/Cli -c Release -o "$out" -v quiet
for rid in $rids; do
    name=safellama-$version-$rid
    dotnet publish src/Cli -c Release -r "$rid" --self-contained -p:PublishSingleFile=true -o "$out/$name" -v quiet
    cp LICENSE README.md "$out/$name/"
    case $rid in
        win-*) (cd "$out" && zip -qr "$name.zip" "$name") ;;
        *) tar -C "$out" -czf "$out/$name.tar.gz" "$name" ;;
    esac
    rm -r "${out:?}/$name"
done

(cd "$out" && sha256sum -- *.nupkg safellama-* > SHA256SUMS && cat SHA256SUMS)
