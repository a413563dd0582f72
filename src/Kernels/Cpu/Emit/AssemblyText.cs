using System.Globalization;

namespace SafeLlama.Kernels;

/// <summary>Registers, operands and numbers in Intel's notation.</summary>
internal static class AssemblyText
{
    public static string Name(int register) => register switch
    {
        Registers.Rax => "rax",
        Registers.Rcx => "rcx",
        Registers.Rdx => "rdx",
        Registers.Rdi => "rdi",
        _ => $"r{register}",
    };

    public static string Name(Condition condition) => condition switch
    {
        Condition.Below => "jb",
        Condition.AboveOrEqual => "jae",
        Condition.Zero => "je",
        _ => "jmp",
    };

    public static string Mask(int mask) => mask == 0 ? "" : $"{{k{mask}}}";

    public static string Text(Operand m)
    {
        var index = m.Index < 0 ? "" : m.Scale == 1 ? $"+{Name(m.Index)}" : $"+{Name(m.Index)}*{m.Scale}";
        return $"[{Name(m.Base)}{index}{(m.Displacement == 0 ? "" : "+" + Hex(m.Displacement))}]";
    }

    public static string Hex(int value)
    {
        var digits = value.ToString("X", CultureInfo.InvariantCulture);
        return value < 10 ? digits : char.IsAsciiLetter(digits[0]) ? $"0{digits}h" : $"{digits}h";
    }
}
