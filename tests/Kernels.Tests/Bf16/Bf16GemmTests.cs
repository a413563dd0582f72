using System.Runtime.Intrinsics.X86;

namespace SafeLlama.Kernels.Tests.Bf16;

/// <summary>
/// Whole products in bf16: the instruction, its emulation on every width of vectors, and a plain loop.
/// </summary>
internal sealed unsafe class Bf16GemmTests
{
    private static readonly (int Rows, int K, int Columns)[] Shapes =
    [
        (129, 64, 64), (130, 33, 40), (140, 97, 31), (200, 768, 48), (145, 770, 513), (131, 1537, 33), (256, 2, 96),
    ];

    private static IEnumerable<TestCaseData> Cases() =>
        from shape in Shapes
        from layout in Enum.GetValues<Layout>()
        from type in new[] { DType.Float32, DType.BFloat16, DType.Float16 }
        where layout != Layout.WeightGradient || type == DType.Float32
        select new TestCaseData(shape.Rows, shape.K, shape.Columns, layout, type);

    internal enum Layout
    {
        /// <summary>y = x Wᵀ.</summary>
        Forward,

        /// <summary>dx = dy W.</summary>
        InputGradient,

        /// <summary>dW = dyᵀ x.</summary>
        WeightGradient,
    }

    [TestCaseSource(nameof(Cases))]
    public void A_product_is_the_plain_loop_over_rounded_operands_bit_for_bit(
        int rows, int k, int columns, Layout layout, DType type)
    {
        using var problem = new Problem(rows, k, columns, layout, type, seed: 1);
        problem.CompareWithPlain(threads: 2, $"{layout}, {type}");
    }

    [Test]
    public void A_gradient_of_few_outputs_is_the_plain_loop_too([Values(1, 8, 14, 15, 16)] int outputs)
    {
        using var problem = new Problem(
            outputs, 131, 70, Layout.WeightGradient, DType.BFloat16, seed: 1);
        problem.CompareWithPlain(threads: 1, $"{outputs}");
    }

    [TestCase(Values.Subnormal)]
    [TestCase(Values.NearLeast)]
    [TestCase(Values.Infinite)]
    public void Odd_values_give_the_bytes_of_the_plain_loop_whatever_weights_are_stored_in(Values values)
    {
        // One operand is odd and nothing else is added, or what the rule makes of it would vanish beside other numbers.
        foreach (var layout in Enum.GetValues<Layout>())
        {
            foreach (var type in new[] { DType.Float32, DType.BFloat16, DType.Float16 })
            {
                foreach (var (a, b) in new[] { (values, Values.Ordinary), (Values.Ordinary, values) })
                {
                    using var problem = new Problem((145, 131, 70), layout, type, seed: 2, (a, b), addend: 0);
                    problem.CompareWithPlain(threads: 1, $"{layout}, {type}, {a} by {b}");
                }
            }
        }
    }

    [Test]
    public void The_number_of_threads_changes_no_byte([Values] Layout layout)
    {
        using var problem = new Problem(300, 200, 700, layout, DType.Float32, seed: 3);
        var results = new List<uint[]>();
        foreach (var threads in new[] { 1, 2, 3 })
        {
            using var pool = new TilePool(threads);
            results.Add(Avx512F.IsSupported
                ? problem.Run(new GemmDispatch<Lanes512>(pool, Bf16Tiles.TryCreate(out _)))
                : problem.Run(new GemmDispatch<Lanes128>(pool)));
        }

        Assert.That(results[1], Is.EqualTo(results[0]));
        Assert.That(results[2], Is.EqualTo(results[0]));
    }

    [Test]
    public void A_wrong_order_of_a_pair_changes_bytes()
    {
        using var problem = new Problem(145, 130, 70, Layout.Forward, DType.Float32, seed: 1);
        Assert.That(problem.Plain(evenFirst: true), Is.Not.EqualTo(problem.Plain()));
    }

    internal enum Values
    {
        Ordinary,
        Subnormal,
        NearLeast,
        Infinite,
    }

    /// <summary>One product with its operands in native memory, and the addend C itself.</summary>
    private sealed class Problem : IDisposable
    {
        private readonly HostMemory _a;
        private readonly HostMemory _b;
        private readonly HostMemory _c;
        private readonly float[] _addend;
        private readonly MatrixProduct _product;

        public Problem(int rows, int k, int columns, Layout layout, DType type, int seed)
            : this((rows, k, columns), layout, type, seed, (Values.Ordinary, Values.Ordinary), addend: 1)
        {
        }

        /// <param name="shape">Of A [rows, k] and B [k, columns].</param>
        /// <param name="layout">How A and B lie.</param>
        /// <param name="type">What B is stored in.</param>
        /// <param name="seed">Of all numbers.</param>
        /// <param name="values">The numbers of A and of B.</param>
        /// <param name="addend">The width of the interval about zero that the addend is drawn from.</param>
        public Problem(
            (int Rows, int K, int Columns) shape, Layout layout, DType type, int seed, (Values A, Values B) values,
            float addend)
        {
            var (rows, k, columns) = shape;
            _a = new HostMemory(sizeof(float) * ((long)rows * k + 64), "a");
            _b = new HostMemory(sizeof(float) * ((long)columns * k + 64), "b");
            _c = new HostMemory(sizeof(float) * ((long)rows * columns + 64), "c");
            var random = new Random(seed);
            var a = (float*)_a.Pointer;
            var b = _b.Pointer;
            for (var i = 0; i < rows * k; i++)
            {
                a[i] = Value(random, values.A);
            }

            for (var i = 0; i < columns * k; i++)
            {
                var value = Value(random, values.B);
                switch (type)
                {
                    case DType.BFloat16:
                        ((ushort*)b)[i] = (ushort)(BitConverter.SingleToUInt32Bits(value) >> 16);
                        break;
                    case DType.Float16:
                        ((Half*)b)[i] = (Half)value;
                        break;
                    default:
                        ((float*)b)[i] = value;
                        break;
                }
            }

            _addend = [.. Enumerable.Range(0, rows * columns)
                .Select(_ => addend * (float)(random.NextDouble() - 0.5))];
            var transposed = layout == Layout.Forward;
            var gradient = layout == Layout.WeightGradient;
            _product = new MatrixProduct
            {
                Rows = rows,
                Columns = columns,
                K = k,
                A = a,
                ARowStride = gradient ? 1 : k,
                AStepStride = gradient ? rows : 1,
                B = b,
                BType = type,
                BStride = transposed ? k : columns,
                BIsTransposed = transposed,
                C = (float*)_c.Pointer,
                CStride = columns,
                Addend = (float*)_c.Pointer,
                AddendStride = columns,
                Scale = 1,
                Arithmetic = DType.BFloat16,
            };
        }

        /// <summary>Asserts that every way gives the bytes of <see cref="Plain"/>.</summary>
        public void CompareWithPlain(int threads, string name)
        {
            using var pool = new TilePool(threads);
            var expected = Plain();
            Assert.That(Run(new GemmDispatch<Lanes128>(pool)), Is.EqualTo(expected), $"{name}, 4 lanes");
            if (Avx2.IsSupported)
            {
                Assert.That(Run(new GemmDispatch<Lanes256>(pool)), Is.EqualTo(expected), $"{name}, 8 lanes");
            }

            if (Avx512F.IsSupported)
            {
                Assert.That(Run(new GemmDispatch<Lanes512>(pool)), Is.EqualTo(expected), $"{name}, 16 lanes");
            }

            if (Bf16Tiles.TryCreate(out _) is { } tiles)
            {
                Assert.That(Run(new GemmDispatch<Lanes512>(pool, tiles)), Is.EqualTo(expected), $"{name}, instruction");
            }
        }

        /// <summary>The bits of C.</summary>
        public uint[] Run<TLanes>(GemmDispatch<TLanes> dispatch)
            where TLanes : struct, ILanes<TLanes>
        {
            _addend.CopyTo(new Span<float>(_product.C, _addend.Length));
            dispatch.Run(_product);
            return [.. new Span<float>(_product.C, _addend.Length).ToArray().Select(Bits)];
        }

        /// <summary>The instruction's definition: odd, then even, each rounded once; blocks of k added to C.</summary>
        public uint[] Plain(bool evenFirst = false)
        {
            var p = _product;
            var result = new uint[_addend.Length];
            var block = Bf16Gemm.BlockOf(p.K);
            for (var row = 0; row < p.Rows; row++)
            {
                for (var column = 0; column < p.Columns; column++)
                {
                    var c = _addend[(row * p.Columns) + column];
                    for (var first = 0; first < p.K; first += block)
                    {
                        var sum = 0f;
                        var end = Math.Min(p.K, first + block);
                        for (var k = first; k < end; k += 2)
                        {
                            var odd = k + 1 < end ? (A(row, k + 1), B(k + 1, column)) : (0, 0);
                            var (x, y) = evenFirst
                                ? ((A(row, k), B(k, column)), odd)
                                : (odd, (A(row, k), B(k, column)));
                            sum = MathF.FusedMultiplyAdd(x.Item1, x.Item2, sum);
                            sum = MathF.FusedMultiplyAdd(y.Item1, y.Item2, sum);
                        }

                        c = MathF.FusedMultiplyAdd(p.Scale, sum, c);
                    }

                    result[(row * p.Columns) + column] = Bits(c);
                }
            }

            return result;
        }

        public void Dispose()
        {
            _a.Dispose();
            _b.Dispose();
            _c.Dispose();
        }

        private float A(int row, int k) =>
            Rounded(_product.A[(row * _product.ARowStride) + (k * _product.AStepStride)]);

        private float B(int k, int column)
        {
            Span<float> value = [0];
            _product.DecodeB(
                _product.BIsTransposed ? column : k, _product.BIsTransposed ? k : column, value);
            return Rounded(value[0]);
        }

        private static float Rounded(float value) => DTypes.WidenBFloat16(Bf16Rounding.Round(value));

        /// <summary>Every NaN counts as the same.</summary>
        private static uint Bits(float value) =>
            float.IsNaN(value) ? 0x7FC00000 : BitConverter.SingleToUInt32Bits(value);

        private static float Value(Random random, Values values)
        {
            var sign = random.Next(2) == 0 ? 1f : -1f;
            return values switch
            {
                Values.Subnormal =>
                    sign * BitConverter.UInt32BitsToSingle((uint)random.Next(1, 1 << 23)),
                Values.NearLeast => sign * MathF.ScaleB(1 + random.NextSingle(), random.Next(-60, -50)),
                Values.Infinite when random.Next(400) == 0 => random.Next(2) == 0 ? sign / 0f : float.NaN,
                _ => sign * random.NextSingle() * 2,
            };
        }
    }
}
