namespace SafeLlama.Kernels;

/// <summary>The numbers of the general registers that code here uses.</summary>
internal static class Registers
{
    public const int Rax = 0;
    public const int Rcx = 1;
    public const int Rdx = 2;
    public const int Rdi = 7;
    public const int R8 = 8;
    public const int R9 = 9;
    public const int R10 = 10;
    public const int R11 = 11;
}
