namespace SafeLlama.Kernels.Tests;

/// <summary>What the arithmetic instructions compute, after NVIDIA's "PTX ISA". Registers hold raw bits.</summary>
internal static class PtxArithmetic
{
    /// <summary>The function of an opcode: its operands' bits to its result's.</summary>
    /// <exception cref="NotSupportedException">The opcode is unknown.</exception>
    public static Func<ulong[], ulong> Function(string opcode)
    {
        var parts = opcode.Split('.');
        var type = parts[^1];
        return parts[0] switch
        {
            "mov" or "cvta" => x => x[0],
            "selp" => x => x[2] != 0 ? x[0] : x[1],
            "setp" => Comparison(parts, type),
            "cvt" => Conversion(opcode),
            "not" when type == "pred" => x => x[0] ^ 1,
            "and" => x => x[0] & x[1],
            "or" => x => x[0] | x[1],
            "xor" => x => x[0] ^ x[1],
            _ when type == "f32" => Floats(opcode),
            _ when type == "f64" => Doubles(opcode),
            "mul" when parts[1] == "wide" =>
                type == "u32" ? x => (ulong)(uint)x[0] * (uint)x[1] : x => (ulong)((long)(int)x[0] * (int)x[1]),
            _ => type is "s32" or "u32" or "b32" ? Words(parts, opcode) : type is "s64" or "u64" or "b64" ? Longs(parts,
                opcode) : Unknown(opcode),
        };
    }

    private static Func<ulong[], ulong> Words(string[] parts, string opcode)
    {
        var signed = parts[^1] == "s32";
        return parts[0] switch
        {
            "add" => x => (uint)x[0] + (ulong)(uint)x[1] & uint.MaxValue,
            "sub" => x => (uint)x[0] - (uint)x[1],
            "mul" when parts[1] == "lo" => x => (uint)x[0] * (uint)x[1],
            "mad" when parts[1] == "lo" => x => ((uint)x[0] * (uint)x[1]) + (uint)x[2],
            "div" => signed ? x => (uint)((int)x[0] / (int)x[1]) : x => (uint)x[0] / (uint)x[1],
            "rem" => signed ? x => (uint)((int)x[0] % (int)x[1]) : x => (uint)x[0] % (uint)x[1],
            "min" => signed ? x => (uint)Math.Min((int)x[0], (int)x[1]) : x => Math.Min((uint)x[0], (uint)x[1]),
            "max" => signed ? x => (uint)Math.Max((int)x[0], (int)x[1]) : x => Math.Max((uint)x[0], (uint)x[1]),
            "neg" => x => (uint)-(int)x[0],
            "not" => x => ~(uint)x[0],
            "shl" => x => (uint)x[1] > 31 ? 0 : (uint)x[0] << (int)x[1],
            "shr" => signed ? x =>
                (uint)((int)x[0] >> (int)Math.Min(31, (uint)x[1])) : x => (uint)x[1] > 31 ? 0 : (uint)x[0] >> (int)x[1],
            _ => Unknown(opcode),
        };
    }

    private static Func<ulong[], ulong> Longs(string[] parts, string opcode)
    {
        var signed = parts[^1] == "s64";
        return parts[0] switch
        {
            "add" => x => x[0] + x[1],
            "sub" => x => x[0] - x[1],
            "mul" when parts[1] == "lo" => x => x[0] * x[1],
            "mad" when parts[1] == "lo" => x => (x[0] * x[1]) + x[2],
            "div" => signed ? x => (ulong)((long)x[0] / (long)x[1]) : x => x[0] / x[1],
            "rem" => signed ? x => (ulong)((long)x[0] % (long)x[1]) : x => x[0] % x[1],
            "shl" => x => (uint)x[1] > 63 ? 0 : x[0] << (int)x[1],
            "shr" => signed ? x =>
                (ulong)((long)x[0] >> (int)Math.Min(63, (uint)x[1])) : x => (uint)x[1] > 63 ? 0 : x[0] >> (int)x[1],
            _ => Unknown(opcode),
        };
    }

    private static Func<ulong[], ulong> Floats(string opcode) => opcode switch
    {
        "add.f32" => x => Bits(Float(x[0]) + Float(x[1])),
        "sub.f32" => x => Bits(Float(x[0]) - Float(x[1])),
        "mul.f32" => x => Bits(Float(x[0]) * Float(x[1])),
        "div.rn.f32" => x => Bits(Float(x[0]) / Float(x[1])),
        "fma.rn.f32" => x => Bits(MathF.FusedMultiplyAdd(Float(x[0]), Float(x[1]), Float(x[2]))),
        "neg.f32" => x => Bits(-Float(x[0])),
        "abs.f32" => x => Bits(MathF.Abs(Float(x[0]))),
        "min.f32" => x => Bits(Numbers(x, MathF.Min)),
        "max.f32" => x => Bits(Numbers(x, MathF.Max)),
        "sqrt.rn.f32" => x => Bits(MathF.Sqrt(Float(x[0]))),
        "rsqrt.approx.f32" => x => Bits((float)(1 / Math.Sqrt(Float(x[0])))),
        "rcp.rn.f32" => x => Bits(1f / Float(x[0])),
        "ex2.approx.f32" => x => Bits((float)Math.Pow(2, Float(x[0]))),
        "lg2.approx.f32" => x => Bits((float)Math.Log2(Float(x[0]))),
        _ => Unknown(opcode),
    };

    /// <summary>Of two operands; the other where one is no number.</summary>
    private static float Numbers(ulong[] x, Func<float, float, float> which)
    {
        var (a, b) = (Float(x[0]), Float(x[1]));
        return float.IsNaN(a) ? b : float.IsNaN(b) ? a : which(a, b);
    }

    private static Func<ulong[], ulong> Doubles(string opcode) => opcode switch
    {
        "add.f64" => x => Bits(Double(x[0]) + Double(x[1])),
        "mul.f64" => x => Bits(Double(x[0]) * Double(x[1])),
        "sub.f64" => x => Bits(Double(x[0]) - Double(x[1])),
        "div.rn.f64" => x => Bits(Double(x[0]) / Double(x[1])),
        "fma.rn.f64" => x => Bits(Math.FusedMultiplyAdd(Double(x[0]), Double(x[1]), Double(x[2]))),
        "sqrt.rn.f64" => x => Bits(Math.Sqrt(Double(x[0]))),
        _ => Unknown(opcode),
    };

    /// <summary><c>setp.lt.s32</c>, and <c>setp.ge.or.s32</c>, which joins a further predicate.</summary>
    private static Func<ulong[], ulong> Comparison(string[] parts, string type)
    {
        Func<ulong, ulong, int> order = type switch
        {
            "s32" => (a, b) => ((int)a).CompareTo((int)b),
            "u32" or "b32" => (a, b) => ((uint)a).CompareTo((uint)b),
            "s64" => (a, b) => ((long)a).CompareTo((long)b),
            "u64" or "b64" => (a, b) => a.CompareTo(b),
            "f64" => (a, b) => Double(a) < Double(b) ? -1 : Double(a) > Double(b) ? 1 : Double(a) == Double(b) ? 0 : 2,
            "f32" => (a, b) => Float(a) < Float(b) ? -1 : Float(a) > Float(b) ? 1 : Float(a) == Float(b) ? 0 : 2,
            _ => throw new NotSupportedException($"comparison of {type}"),
        };
        Func<int, bool> holds = parts[1] switch
        {
            "eq" => c => c == 0,
            "ne" => c => c is -1 or 1,
            "lt" or "lo" => c => c == -1,
            "le" or "ls" => c => c is -1 or 0,
            "gt" or "hi" => c => c == 1,
            "ge" or "hs" => c => c is 0 or 1,
            "equ" => c => c is 0 or 2,
            "neu" => c => c != 0,
            "ltu" => c => c is -1 or 2,
            "leu" => c => c is -1 or 0 or 2,
            "gtu" => c => c is 1 or 2,
            "geu" => c => c is 0 or 1 or 2,
            _ => throw new NotSupportedException($"comparison {parts[1]}"),
        };
        return parts.Length == 3 ? x => holds(order(x[0], x[1])) ? 1ul : 0
            : parts[2] == "or" ? x => holds(order(x[0], x[1])) || x[2] != 0 ? 1ul : 0
            : parts[2] == "and" ? x => holds(order(x[0], x[1])) && x[2] != 0 ? 1ul : 0
            : throw new NotSupportedException($"setp with {parts[2]}");
    }

    private static Func<ulong[], ulong> Conversion(string opcode) => opcode switch
    {
        "cvt.s64.s32" => x => (ulong)(int)x[0],
        "cvt.s32.s64" or "cvt.u64.u32" or "cvt.u32.u64" or "cvt.u32.u32" => x => (uint)x[0],
        "cvt.s32.s16" => x => (uint)(short)x[0],
        "cvt.u32.u16" or "cvt.s32.u16" or "cvt.u16.u32" => x => (ushort)x[0],
        "cvt.rn.f32.s32" => x => Bits((float)(int)x[0]),
        "cvt.rzi.s32.f32" => x => (uint)(int)Float(x[0]),
        "cvt.rn.bf16x2.f32" =>
            x => DTypes.NarrowBFloat16(Float(x[1])) | ((ulong)DTypes.NarrowBFloat16(Float(x[0])) << 16),
        "cvt.f64.f32" => x => Bits((double)Float(x[0])),
        "cvt.rn.f32.f64" => x => Bits((float)Double(x[0])),
        "cvt.rn.f64.s32" => x => Bits((double)(int)x[0]),
        _ => Unknown(opcode),
    };

    internal static float Float(ulong bits) => BitConverter.UInt32BitsToSingle((uint)bits);

    internal static double Double(ulong bits) => BitConverter.UInt64BitsToDouble(bits);

    internal static ulong Bits(double value) => BitConverter.DoubleToUInt64Bits(value);

    internal static ulong Bits(float value) => BitConverter.SingleToUInt32Bits(value);

    private static Func<ulong[], ulong> Unknown(string opcode) =>
        throw new NotSupportedException($"opcode {opcode} is unknown");
}
