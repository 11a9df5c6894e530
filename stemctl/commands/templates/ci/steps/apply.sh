@include login.sh@
stemctl@SERVER@ apply --auto-approve --digest "$DIGEST"
