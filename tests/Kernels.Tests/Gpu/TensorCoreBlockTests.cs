using System.Runtime.InteropServices;
using System.Text.RegularExpressions;
using ILGPU.Runtime.Cuda;
using SafeLlama.Common;

namespace SafeLlama.Kernels.Tests;

/// <summary>The product that decodes NF4 while it fills its tiles, run instruction by instruction, and
/// spoiled.</summary>
internal sealed class TensorCoreBlockTests
{
    private const int Rows = 37;
    private const int Outputs = 72;
    private const int Inputs = 192;
    private const int SharedBytes = 5 * 128 * 32 * 2;

    private static readonly Dictionary<Type, string> Texts = [];

    private static IEnumerable<Type> Layouts => [typeof(GemmNT), typeof(GemmNN)];

    [TestCaseSource(nameof(Layouts))]
    public void It_agrees_with_reference_and_meets_no_bank_twice(Type layout)
    {
        var run = new Run(layout);
        Assert.That(run.Compute(Text(layout), seed: 1), Is.Zero, "bank conflicts");
        Assert.That(run.Error(), Is.LessThan(2e-6), "sums are fp32 over exact products");
    }

    /// <summary>No barrier; a copy of a not waited for; a stage of b fewer; a stage of a fewer.</summary>
    [TestCase(@"bar\.sync\s+0", "mov.b32 %r1, %r1", "no barrier between|on its way")]
    [TestCase("cp.async.wait_group 1", "cp.async.wait_group 2", "a copy on its way")]
    [TestCase(@"(rem\.s32\s+%r\d+, %r\d+), 2;", "$1, 1;", "no barrier between")]
    [TestCase(@"(rem\.s32\s+%r\d+, %r\d+), 3;", "$1, 2;", "no barrier between|on its way")]
    public void A_kernel_with_a_fault_is_stopped(string was, string becomes, string why)
    {
        foreach (var layout in Layouts)
        {
            var changed = Regex.Replace(Text(layout), was, becomes);
            Assert.That(changed, Is.Not.EqualTo(Text(layout)), "nothing was changed");
            Assert.That(
                () => new Run(layout).Compute(changed, seed: 1),
                Throws.InstanceOf<PtxFault>().With.Message.Match(why), layout.Name);
        }
    }

    /// <summary>Codes are looked up in the last sixteen words of memory; one place further on is another
    /// value.</summary>
    [Test]
    public void A_wrong_place_of_the_values_gives_another_result()
    {
        foreach (var layout in Layouts)
        {
            var run = new Run(layout);
            var changed = Regex.Replace(Text(layout), @"((?:add|sub)\.s64\s+%rd\d+, %rd\d+), (-?)16;", "$1, ${2}17;");
            Assert.That(changed, Is.Not.EqualTo(Text(layout)), "nothing was changed");
            run.Compute(changed, seed: 1);
            Assert.That(run.Error(), Is.GreaterThan(1e-2), layout.Name);
        }
    }

    private static string Text(Type layout)
    {
        lock (Texts)
        {
            if (!Texts.TryGetValue(layout, out var text))
            {
                using var compiler = new PtxCompiler(CudaArchitecture.SM_80);
                Texts[layout] = text = compiler.Compile(
                    GpuKernelList.Find(typeof(TensorCoreBlockGemm), nameof(TensorCoreBlockGemm.ProductKernel))
                        .MakeGenericMethod(typeof(GpuFloat32), typeof(GpuNf4), layout));
            }

            return text;
        }
    }

    /// <summary>y = x Wᵀ or dx = dy W, what the kernel left, and what fp64 says.</summary>
    private sealed class Run(Type layout)
    {
        private readonly bool _back = layout == typeof(GemmNN);
        private readonly byte[] _blocks = Blocks();
        private float[] _found = [];

        private int K => _back ? Outputs : Inputs;

        private int Columns => _back ? Inputs : Outputs;

        public int Compute(string ptx, long seed)
        {
            var global = new PtxGlobal();
            var words = MemoryMarshal.Cast<byte, uint>(_blocks).ToArray();
            uint[] memory = [.. words, .. MemoryMarshal.Cast<float, uint>(Nf4Format.Values).ToArray()];
            var (a, b) = (global.Add<ushort>(Left()), global.Add<uint>(memory));
            var (bias, c) = (global.Add<float>([0]), global.Add<float>(new float[Rows * Columns]));
            var conflicts = PtxMachine.Run(
                ptx, global, ((Columns + 127) / 128, (Rows + 127) / 128), TensorCoreGemm.Threads, SharedBytes, seed,
                [.. PtxArguments.Operand(a, K, K), .. PtxArguments.Operand(a, K, 0)],
                PtxArguments.Matrix(b, memory.Length, Inputs / 64 * 9),
                PtxArguments.Matrix(a, Rows * K, K),
                PtxArguments.Weights(bias, 1),
                PtxArguments.Matrix(c, Rows * Columns, Columns),
                PtxArguments.Matrix(c, Rows * Columns, Columns),
                PtxArguments.Matrix(c, Rows * Columns, Columns),
                PtxArguments.Form(false, _back, ProductEnd.Overwrite, 1, Rows, Columns, K));
            _found = global.Values<float>(c).ToArray();
            return conflicts;
        }

        /// <summary>The largest difference, relative to the largest element.</summary>
        public double Error()
        {
            var (left, weight, rowBytes) = (Left(), new float[Outputs * Inputs], _blocks.Length / Outputs);
            for (var row = 0; row < Outputs; row++)
            {
                Nf4Format.Of(Inputs).Decode(
                    _blocks.AsSpan(row * rowBytes, rowBytes), 0, weight.AsSpan(row * Inputs, Inputs));
            }

            double Rounded(int o, int i) => DTypes.WidenBFloat16(DTypes.NarrowBFloat16(weight[(o * Inputs) + i]));
            var (worst, largest) = (0.0, 0.0);
            for (var m = 0; m < Rows; m++)
            {
                for (var n = 0; n < Columns; n++)
                {
                    var sum = 0.0;
                    for (var k = 0; k < K; k++)
                    {
                        sum += DTypes.WidenBFloat16(left[(m * K) + k]) * (_back ? Rounded(k, n) : Rounded(n, k));
                    }

                    worst = Math.Max(worst, Math.Abs(sum - _found[(m * Columns) + n]));
                    largest = Math.Max(largest, Math.Abs(sum));
                }
            }

            return worst / largest;
        }

        private ushort[] Left()
        {
            var stream = Philox.Stream(5, "left");
            return [.. Enumerable.Range(0, Rows * K).Select(i => DTypes.NarrowBFloat16((float)stream.Normal(i)))];
        }

        /// <summary>Codes at random, and an absmax between a half and one before each.</summary>
        private static byte[] Blocks()
        {
            var (stream, format) = (Philox.Stream(6, "blocks"), Nf4Format.Of(Inputs));
            var bytes = new byte[format.Bytes(new(Outputs, Inputs))];
            for (var i = 0; i < bytes.Length; i++)
            {
                bytes[i] = (byte)stream.UInt32(i);
            }

            for (var at = 0; at < bytes.Length; at += format.BlockBytes)
            {
                BitConverter.TryWriteBytes(bytes.AsSpan(at), 0.5f + (bytes[at] / 512f));
            }

            return bytes;
        }
    }
}
