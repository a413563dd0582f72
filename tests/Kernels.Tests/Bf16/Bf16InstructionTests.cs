using System.Numerics;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace SafeLlama.Kernels.Tests.Bf16;

/// <summary>Rounding, code memory and the instruction itself.</summary>
internal sealed unsafe class Bf16InstructionTests
{
    [Test]
    public void Vectors_round_every_kind_of_float_as_the_rule_says()
    {
        var values = EveryKind();
        var expected = values.Select(Bf16Rounding.Round).ToArray();
        var narrowed = new ushort[values.Length];
        fixed (float* from = values)
        {
            fixed (ushort* to = narrowed)
            {
                Bf16Rows.Narrow(from, values.Length, to);
            }
        }

        Assert.That(narrowed, Is.EqualTo(expected), "a row");
        Assert.That(
            Enumerable.Range(0, values.Length / Vector<float>.Count)
                .SelectMany(i => Bits(Bf16Emulation.Round(new Vector<float>(values, i * Vector<float>.Count)))),
            Is.EqualTo(expected), "portable");
    }

    [Test]
    public void Vectors_of_sixteen_round_as_the_rule_says()
    {
        Assume.That(Avx512BW.IsSupported, "no AVX-512");
        var values = EveryKind();
        var expected = values.Select(Bf16Rounding.Round).ToArray();
        var (alone, pairs) = (new List<ushort>(), new List<ushort>());
        for (var i = 0; i < values.Length; i += 32)
        {
            var (even, odd) = (Vector512.Create(values, i), Vector512.Create(values, i + 16));
            var pair = Bf16Rounding.RoundPairs(even, odd);
            foreach (var half in new[] { even, odd })
            {
                var rounded = Bf16Rounding.Round(half).AsUInt32();
                alone.AddRange(Enumerable.Range(0, 16).Select(lane => (ushort)(rounded[lane] >> 16)));
            }

            pairs.AddRange(Enumerable.Range(0, 16).Select(lane => (ushort)pair[lane]));
            pairs.AddRange(Enumerable.Range(0, 16).Select(lane => (ushort)(pair[lane] >> 16)));
        }

        Assert.That(alone, Is.EqualTo(expected));
        Assert.That(pairs, Is.EqualTo(expected));
    }

    [Test]
    public void A_row_of_any_length_is_rounded_and_padded_and_nothing_beyond_is_written(
        [Range(0, 66, 3)] int count, [Values(0, 1, 16, 31)] int padding)
    {
        Assume.That(Avx512BW.IsSupported, "no AVX-512");
        const ushort Untouched = 0x5555;
        var values = Enumerable.Range(0, count).Select(i => 1.01f + i).ToArray();
        foreach (var code in new[] { null, Bf16Tiles.TryCreate(out _) })
        {
            var rounded = Enumerable.Repeat(Untouched, count + padding + 40).ToArray();
            fixed (float* from = values)
            {
                fixed (ushort* to = rounded)
                {
                    Bf16Rounding.RoundRow(code, from, count, to, count + padding);
                }
            }

            Assert.That(rounded, Is.EqualTo(values.Select(Bf16Rounding.Round)
                .Concat(new ushort[padding]).Concat(Enumerable.Repeat(Untouched, 40))), $"{code}");
        }
    }

    [Test]
    public void Rows_are_rounded_as_the_rule_says_by_machine_code_and_without()
    {
        Assume.That(Avx512BW.IsSupported, "no AVX-512");
        var values = EveryKind();
        var expected = values.Select(Bf16Rounding.Round).ToArray();
        foreach (var code in new[] { null, Bf16Tiles.TryCreate(out _) })
        {
            var rounded = new ushort[values.Length];
            fixed (float* from = values)
            {
                fixed (ushort* to = rounded)
                {
                    Bf16Rounding.RoundRow(code, from, values.Length, to, values.Length);
                }
            }

            Assert.That(rounded, Is.EqualTo(expected), $"{code}");
        }
    }

    [TestCase(1.0f, 0x3F80)]
    [TestCase(1.00390625f, 0x3F80, Description = "half way: to the even neighbor")]
    [TestCase(1.01171875f, 0x3F82, Description = "half way: to the even neighbor, upward")]
    [TestCase(float.PositiveInfinity, 0x7F80)]
    [TestCase(3.4e38f, 0x7F80, Description = "overflows")]
    [TestCase(1.3877787807814457e-17f, 0x2380, Description = "2^-56 stays")]
    [TestCase(1.387778e-17f, 0x2380, Description = "below 2^-56, and rounded up to it")]
    [TestCase(1.38e-17f, 0, Description = "below 2^-56")]
    [TestCase(-1.38e-17f, 0, Description = "zero, and positive")]
    [TestCase(1e-40f, 0)]
    [TestCase(-0f, 0)]
    public void Rounding_is_to_nearest_even_and_small_values_are_zero(float value, int expected) =>
        Assert.That(Bf16Rounding.Round(value), Is.EqualTo(expected));

    [TestCase(0x237F8000u, 0x2380, Description = "half way to 2^-56: to the even neighbor, which stays")]
    [TestCase(0x237F7FFFu, 0, Description = "below half way")]
    [TestCase(0xA37F8000u, 0xA380)]
    [TestCase(0x7F800001u, 0x7FC0, Description = "a signaling NaN")]
    public void The_rule_ends_at_a_bit(uint bits, int expected) =>
        Assert.That(Bf16Rounding.Round(BitConverter.UInt32BitsToSingle(bits)), Is.EqualTo(expected));

    [Test]
    public void No_page_is_writable_and_executable_at_once()
    {
        Assume.That(OperatingSystem.IsLinux() && Bf16Tiles.IsSupported, "needs Linux and AVX512_BF16");
        var tiles = Bf16Tiles.TryCreate(out var reason);
        Assert.That(tiles, Is.Not.Null, reason);
        var code = (ulong)tiles!.Start;
        var pages = File.ReadLines("/proc/self/maps").Select(line => line.Split(' ', 3)).ToList();
        var own = pages.Single(p => Contains(p[0], code));
        Assert.That(own[1], Does.StartWith("r-x"));
        GC.KeepAlive(tiles);

        static bool Contains(string range, ulong address)
        {
            var ends = range.Split('-').Select(end => Convert.ToUInt64(end, 16)).ToArray();
            return ends[0] <= address && address < ends[1];
        }
    }

    [Test]
    public void A_processor_without_the_instruction_gets_the_emulation_and_its_reason() =>
        Assert.That(
            Bf16Tiles.Description,
            Does.Match(Bf16Tiles.Instance is null ? @"^emulated \(.+\)$" : @"^instruction, \d\.\d\d×$"));

    /// <summary>
    /// Floats of any bits, about ties and the least magnitude; in the second half every fifth is infinite or NaN.
    /// </summary>
    private static float[] EveryKind()
    {
        var random = new Random(5);
        var values = new float[1 << 16];
        for (var i = 0; i < values.Length; i++)
        {
            var bits = (uint)random.NextInt64(1L << 32);
            values[i] = BitConverter.UInt32BitsToSingle((i % 5) switch
            {
                0 => bits,
                1 => (bits & 0xFFFF0000) | 0x8000,
                2 => (bits & 0x807FFFFF) | (uint)((127 - 57 + (bits >> 30)) << 23),
                3 => (bits & 0x8000FFFF) | 0x237F0000,
                _ when i < values.Length / 2 => bits & 0xBFFFFFFF,
                _ => (bits & 0x8000FFFF) | 0x7F800000 | (bits & 0x7F0000),
            });
        }

        return values;
    }

    private static IEnumerable<ushort> Bits(Vector<float> values)
    {
        var bits = values.As<float, uint>();
        return Enumerable.Range(0, Vector<float>.Count).Select(lane => (ushort)(bits[lane] >> 16));
    }
}
