using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace SafeLlama.Kernels;

/// <summary>Runs of bf16 to floats, exactly, and back by the rule of <see cref="Bf16Rounding"/>.</summary>
internal static unsafe class Bf16Rows
{
    /// <param name="from">[count].</param>
    /// <param name="to">[count].</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Widen(ushort* from, int count, float* to)
    {
        var i = 0;
        if (Avx512F.IsSupported)
        {
            for (; i <= count - 16; i += 16)
            {
                var bits = Avx512F.ConvertToVector512UInt32(Vector256.Load(from + i));
                Vector512.ShiftLeft(bits, 16).AsSingle().Store(to + i);
            }
        }

        for (; i <= count - Vector<ushort>.Count; i += Vector<ushort>.Count)
        {
            Vector.Widen(Vector.Load(from + i), out var low, out var high);
            Vector.ShiftLeft(low, 16).As<uint, float>().Store(to + i);
            Vector.ShiftLeft(high, 16).As<uint, float>().Store(to + i + Vector<float>.Count);
        }

        for (; i < count; i++)
        {
            to[i] = DTypes.WidenBFloat16(from[i]);
        }
    }

    /// <param name="from">[count].</param>
    /// <param name="to">[count].</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Narrow(float* from, int count, ushort* to)
    {
        if (Avx512BW.IsSupported)
        {
            Bf16Rounding.RoundRow(from, count, to, count);
            return;
        }

        var i = 0;
        for (; i <= count - Vector<ushort>.Count; i += Vector<ushort>.Count)
        {
            var low = Bf16Emulation.Round(Vector.Load(from + i)).As<float, uint>();
            var high = Bf16Emulation.Round(Vector.Load(from + i + Vector<float>.Count)).As<float, uint>();
            Vector.Narrow(Vector.ShiftRightLogical(low, 16), Vector.ShiftRightLogical(high, 16)).Store(to + i);
        }

        for (; i < count; i++)
        {
            to[i] = Bf16Rounding.Round(from[i]);
        }
    }
}
