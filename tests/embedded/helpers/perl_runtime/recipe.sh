# A module for each line of the source's cpanfile; the index is this loop.
[ -f "$SOURCE_DIR/cpanfile" ] || { echo "No cpanfile: nothing to install"; exit 0; }
while read -r name; do
  case $name in
    Missing*)
      printf '{"reason": "PackageNotFound", "message": "there is no module %s"}' "$name" >"$RESULT_FILE"
      exit 1 ;;
  esac
  echo "installing $name for perl $RUNTIME_VERSION"
  printf 'package %s;\nsub word { return "%s is installed" }\n1;\n' "$name" "$name" >"$PACKAGES_DIR/$name.pm"
  echo "$name 1.0" >>"$LOCK_FILE"
done <"$SOURCE_DIR/cpanfile"
