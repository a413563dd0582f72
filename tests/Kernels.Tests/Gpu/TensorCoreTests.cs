using System.Text.RegularExpressions;
using ILGPU.Runtime.Cuda;
using SafeLlama.Common;

namespace SafeLlama.Kernels.Tests;

/// <summary>The tensor-core products, run instruction by instruction on ragged shapes; no GPU is needed.</summary>
internal sealed class TensorCoreTests
{
    private const int SharedBytes = 3 * 2 * 128 * 32 * 2;

    private static readonly Dictionary<string, string> Texts = [];

    public enum Form
    {
        NT,
        NN,
        TN,
    }

    /// <summary>
    /// Shapes end within a tile, a warp, a fragment and a stage; K is shorter than a stage and longer than all three.
    /// </summary>
    [Test]
    public void A_product_agrees_with_reference(
        [Values] Form form, [Values(DType.Float32, DType.BFloat16)] DType result, [Values(1, 2)] int seed)
    {
        var (rows, columns, depth) = (form, seed) switch
        {
            (Form.TN, 1) => (136, 72, 24),
            (_, 1) => (131, 72, 24),
            (Form.TN, _) => (40, 136, 168),
            _ => (37, 136, 168),
        };
        var run = new ProductRun(form, rows, columns, depth);
        var conflicts = run.Compute(Text(form, result), result, seed);
        Assert.That(conflicts, Is.Zero, "bank conflicts");

        // The sums are fp32 over exact products; a result of bf16 is rounded once more, by 2⁻⁹.
        run.MustAgree(result == DType.Float32 ? 2e-6 : 4e-3);
    }

    [Test]
    public void Sums_are_scaled_and_added()
    {
        var run = new ProductRun(Form.NT, 5, 16, 40) { Scale = 0.25f, Accumulate = true };
        run.Compute(Text(Form.NT, DType.Float32), DType.Float32, seed: 3);
        run.MustAgree(2e-6);
    }

    /// <summary>What a result is added to lies elsewhere: the residual stream, and a bias for every row.</summary>
    [TestCase(37, 72, 40)]
    [TestCase(5, 77, 24)]       // rows end within an eight, and most begin within one
    public void Sums_are_added_to_a_residual_and_a_bias(int rows, int columns, int depth)
    {
        var run = new ProductRun(Form.NT, rows, columns, depth) { Residual = true };
        run.Compute(Text(Form.NT, DType.Float32), DType.Float32, seed: 5);
        run.MustAgree(2e-6);
    }

    /// <summary>LoRA's branch: a second product of depth r, in the same pass over the result.</summary>
    [Test]
    public void A_second_pair_of_operands_is_added(
        [Values(Form.NT, Form.NN)] Form form, [Values(8, 40)] int rank, [Values(24, 64)] int depth)
    {
        var run = new ProductRun(form, 37, 72, depth) { More = rank };
        run.Compute(Text(form, DType.Float32), DType.Float32, seed: 4);
        run.MustAgree(2e-6);
    }

    [TestCase(Form.NT, "cp.async.wait_group 1", "cp.async.wait_group 2", "a copy on its way")]
    [TestCase(Form.NT, "rem.s32", "min.s32", "no barrier between|on its way|outside")]
    [TestCase(Form.NT, "bar.sync\t0", "mov.b32 %r1, %r1", "no barrier between|on its way")]
    public void A_kernel_with_a_fault_is_stopped(Form form, string was, string becomes, string why)
    {
        var ptx = Text(form, DType.Float32);
        Assert.That(ptx, Does.Contain(was));
        var run = new ProductRun(form, 37, 72, 168);
        Assert.That(
            () => run.Compute(ptx.Replace(was, becomes), DType.Float32, seed: 1),
            Throws.InstanceOf<PtxFault>().With.Message.Match(why));
    }

    [Test]
    public void A_changed_index_gives_another_result()
    {
        var run = new ProductRun(Form.NT, 37, 72, 40);
        var ptx = Text(Form.NT, DType.Float32);
        const string Last = "{fa12,fa13,fa14,fa15},{fb6,fb7}";
        Assert.That(ptx, Does.Contain(Last));
        run = new ProductRun(Form.NT, 128, 128, 40);
        run.Compute(ptx.Replace(Last, "{fa12,fa13,fa14,fa15},{fb4,fb7}"), DType.Float32, seed: 1);
        Assert.That(() => run.MustAgree(2e-6), Throws.InstanceOf<AssertionException>());
    }

    [Test]
    public void A_missing_swizzle_meets_banks_twice()
    {
        var run = new ProductRun(Form.NT, 37, 72, 40);
        var ptx = Regex.Replace(
            Text(Form.NT, DType.Float32), @"xor\.b32(\s+%r\d+, %r\d+), %r\d+;", "or.b32$1, 0;");
        Assert.That(run.Compute(ptx, DType.Float32, seed: 1), Is.Positive);
        run.MustAgree(2e-6);
    }

    /// <summary>
    /// LoRA's steps behind the frozen product's: 2 of those, 2 of these, of which the last has 8 of 32 columns.
    /// </summary>
    [TestCase("cp.async.wait_group 1", "cp.async.wait_group 2", "a copy on its way")]
    [TestCase(@"bar\.sync\s+0", "mov.b32 %r1, %r1", "no barrier between|on its way")]

    // a stage less; joined a step too late; no zeros past the rank
    [TestCase(@"(rem\.s32\s+%r\d+, %r\d+), 3;", "$1, 2;", "no barrier between|on its way")]
    [TestCase(@"(setp\.ge\.s32\s+%p\d+, %r\d+), 0;", "$1, 1;", "expected|never written|outside")]
    [TestCase(@"selp\.b32(\s+%r\d+), 16, 0, %p\d+;", "mov.b32$1, 16;", "expected")]
    public void A_second_pair_with_a_fault_is_noticed(string was, string becomes, string why)
    {
        foreach (var form in new[] { Form.NT, Form.NN })
        {
            var run = new ProductRun(form, 37, 72, 64) { More = 40 };
            var changed = Regex.Replace(Text(form, DType.Float32), was, becomes);
            Assert.That(changed, Is.Not.EqualTo(Text(form, DType.Float32)), "nothing was changed");
            Assert.That(
                () =>
                {
                    run.Compute(changed, DType.Float32, seed: 1);
                    run.MustAgree(2e-6);
                },
                Throws.Exception.With.Message.Match(why), form.ToString());
        }
    }

    [Test]
    public void A_second_pair_without_a_swizzle_meets_banks_twice()
    {
        var run = new ProductRun(Form.NT, 37, 72, 64) { More = 40 };
        var ptx = Regex.Replace(
            Text(Form.NT, DType.Float32), @"xor\.b32(\s+%r\d+, %r\d+), %r\d+;", "or.b32$1, 0;");
        Assert.That(run.Compute(ptx, DType.Float32, seed: 1), Is.Positive);
        run.MustAgree(2e-6);
    }

    [Test]
    public void An_unknown_opcode_is_an_error() =>
        Assert.That(() => PtxArithmetic.Function("brev.b32"), Throws.InstanceOf<NotSupportedException>());

    private static string Text(Form form, DType result)
    {
        var layout = form switch { Form.TN => typeof(GemmTN), Form.NN => typeof(GemmNN), _ => typeof(GemmNT) };
        var kernel = GpuKernelList.Find(typeof(TensorCoreGemm), nameof(TensorCoreGemm.ProductKernel))
            .MakeGenericMethod(GpuKernelList.Stored(GpuKernelList.FormOf(WeightFormat.Of(result))!.Value), layout);
        lock (Texts)
        {
            if (!Texts.TryGetValue(form + " " + result, out var text))
            {
                using var compiler = new PtxCompiler(CudaArchitecture.SM_80);
                Texts[form + " " + result] = text = compiler.Compile(kernel);
            }

            return text;
        }
    }

    /// <summary>One product's numbers: operands, what the kernel left, and what fp64 says.</summary>
    private sealed class ProductRun(Form form, int rows, int columns, int depth)
    {
        private readonly ushort[] _a = Numbers("a", rows * depth);
        private readonly ushort[] _b = Numbers("b", columns * depth);
        private readonly ushort[] _before = Numbers("c", rows * columns);
        private readonly Dictionary<string, ushort[]> _second = [];
        private double[] _found = [];

        /// <summary>Depth of a second pair, whose numbers are the first of a₂ and b₂.</summary>
        public int More { get; init; }

        public float Scale { get; init; } = 1;

        public bool Accumulate { get; init; }

        /// <summary>Whether a residual and a bias are added: the numbers of c, and of its first row.</summary>
        public bool Residual { get; init; }

        public int Compute(string ptx, DType result, long seed)
        {
            var global = new PtxGlobal();
            var (a, b) = (global.Add<ushort>(_a), global.Add<ushort>(_b));
            var before = Array.ConvertAll(_before, DTypes.WidenBFloat16);
            var c = result == DType.Float32 ? global.Add<float>(before) : global.Add<ushort>(_before);
            var (beside, bias) = Residual
                ? (c, global.Add<float>(before.AsSpan(0, columns)))
                : (c, global.Add<float>([0]));
            c = Residual ? global.Add<float>(new float[rows * columns]) : c;
            var (strideA, strideB) =
                (form == Form.TN ? rows : depth, form == Form.NT ? depth : columns);
            var conflicts = PtxMachine.Run(
                ptx, global, ((columns + 127) / 128, (rows + 127) / 128), TensorCoreGemm.Threads, SharedBytes, seed,
                [
                    .. PtxArguments.Operand(a, strideA, depth),
                    .. PtxArguments.Operand(b, strideB, depth),
                    .. PtxArguments.Operand(global.Add<ushort>(Second("a2", rows)), More, More),
                    .. PtxArguments.Operand(
                        global.Add<ushort>(Second("b2", columns)), form == Form.NT ? More : columns, More),
                ],
                PtxArguments.Weights(bias, Residual ? columns : 1),
                PtxArguments.Matrix(beside, rows * columns, columns),
                PtxArguments.Matrix(c, rows * columns, columns),
                PtxArguments.Matrix(c, rows * columns, columns),
                PtxArguments.Form(
                    form == Form.TN, form != Form.NT,
                    Accumulate || Residual ? ProductEnd.Add : ProductEnd.Overwrite, Scale, rows,
                    columns, depth, bias: Residual),
                new byte[16]);
            _found = result == DType.Float32
                ? [.. global.Values<float>(c).ToArray().Select(x => (double)x)]
                : [.. global.Values<ushort>(c).ToArray().Select(x => (double)DTypes.WidenBFloat16(x))];
            return conflicts;
        }

        public void MustAgree(double tolerance)
        {
            var scale = 0.0;
            var expected = new double[rows * columns];
            for (var m = 0; m < rows; m++)
            {
                for (var n = 0; n < columns; n++)
                {
                    var sum = 0.0;
                    for (var k = 0; k < depth; k++)
                    {
                        sum += Wide(form == Form.TN ? _a[(k * rows) + m] : _a[(m * depth) + k])
                            * Wide(form == Form.NT ? _b[(n * depth) + k] : _b[(k * columns) + n]);
                    }

                    for (var k = 0; k < More; k++)
                    {
                        sum += Wide(Second("a2", rows)[(m * More) + k])
                            * Wide(Second("b2", columns)[form == Form.NT ? (n * More) + k : (k * columns) + n]);
                    }

                    var at = (m * columns) + n;
                    expected[at] = (Scale * sum) + (Accumulate || Residual ? Wide(_before[at]) : 0)
                        + (Residual ? Wide(_before[n]) : 0);
                    scale = Math.Max(scale, Math.Abs(expected[at]));
                }
            }

            for (var at = 0; at < expected.Length; at++)
            {
                if (!(Math.Abs(_found[at] - expected[at]) <= tolerance * scale))
                {
                    Assert.Fail($"c[{at / columns}, {at % columns}] is {_found[at]}, expected {expected[at]}");
                }
            }
        }

        private ushort[] Second(string name, int count)
        {
            if (!_second.TryGetValue(name, out var numbers))
            {
                _second[name] = numbers = Numbers(name, count * Math.Max(More, 8));
            }

            return numbers;
        }

        private static double Wide(ushort bits) => DTypes.WidenBFloat16(bits);

        private static ushort[] Numbers(string name, int count)
        {
            var stream = Philox.Stream(5, name);
            return [.. Enumerable.Range(0, count).Select(i => DTypes.NarrowBFloat16((float)stream.Normal(i)))];
        }
    }
}
