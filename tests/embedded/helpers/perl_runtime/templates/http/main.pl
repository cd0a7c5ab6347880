# The function my-function.
sub handler {
    my ($body) = @_;
    return "Hello, $body, from my-function";
}
1;
