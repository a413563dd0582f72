using SafeLlama.Kernels;
using SafeLlama.Testing;

namespace SafeLlama.Model.Tests.Parity;

/// <summary>Matrices quantized by bitsandbytes, without a model.</summary>
internal static class QuantizationParity
{
    public static void Check(IBackend backend, ReferenceCase reference)
    {
        reference.Compare("nf4.codebook", ToDoubles(Nf4Format.Values), reference.Doubles("nf4.codebook"), 0);
        reference.Compare(
            "nested.dynamic_map", ToDoubles(DynamicMap.Values), reference.Doubles("nested.dynamic_map"), 0);
        CheckNf4(reference, "W", "nf4.packed", "nf4.absmax", "nf4.dequant");
        CheckNf4(reference, "odd.W", "odd.packed", "odd.absmax", "odd.dequant");
        CheckNested(reference);
        CheckInt8(backend, reference);

        // FP4 is refused, and the unsigned map is that of an optimizer's state.
        reference.Skip(
            "format", "fp4.codebook", "fp4.packed", "fp4.absmax", "fp4.dequant", "dynamic_map_unsigned", "int8.Y_fp32");
        reference.MustBeReadWhole();
    }

    private static void CheckNf4(
        ReferenceCase reference, string weight, string packed, string? absmax, string dequant)
    {
        var values = ToFloats(reference.Doubles(weight));
        var (ours, scales) = (new byte[(values.Length + 1) / 2], new float[(values.Length + 63) / 64]);
        Nf4Quantizer.Quantize(values, ours, scales);
        reference.Compare(packed, Array.ConvertAll(ours, b => (double)b), reference.Bytes(packed), 0);
        if (absmax is not null)
        {
            reference.Compare(absmax, ToDoubles(scales), reference.Doubles(absmax), 0);
        }

        reference.Compare(
            dequant, Decoded(reference.ShapeOf(weight), ours, scales), reference.Doubles(dequant),
            absmax is null ? 1 : reference.Tolerance("dequant_atol"));
    }

    private static void CheckNested(ReferenceCase reference)
    {
        var nested = Nf4Quantizer.Nest(ToFloats(reference.Doubles("nested.absmax_fp32")));
        reference.Compare(
            "nested.absmax_q8", Array.ConvertAll(nested.Codes, b => (double)b), reference.Bytes("nested.absmax_q8"), 0);

        // The offset is a mean in fp32, and absmax2 the largest distance from it: an ulp or two of the offset.
        var offset = reference.Doubles("nested.offset")[0];
        reference.Compare("nested.offset", nested.Offset, offset, 5e-7 * offset);
        reference.Compare(
            "nested.absmax2", ToDoubles(nested.Absmax), reference.Doubles("nested.absmax2"), 5e-7 * offset);
        var exact = nested with
        {
            Offset = (float)offset,
            Absmax = ToFloats(reference.Doubles("nested.absmax2")),
        };
        var absmax = Nf4Quantizer.Unnest(exact, DynamicMap.Values);
        reference.Compare("nested.absmax_dequant", ToDoubles(absmax), reference.Doubles("nested.absmax_dequant"), 0);
        var rows = ToFloats(reference.Doubles("nested.W_rows_0_16"));
        var (packed, plain) = (new byte[rows.Length / 2], new float[rows.Length / 64]);
        Nf4Quantizer.Quantize(rows, packed, plain);
        reference.Compare(
            "nested.packed_rows_0_16", Array.ConvertAll(packed, b => (double)b),
            reference.Bytes("nested.packed_rows_0_16"), 0);
        reference.Compare(
            "nested.dequant_rows_0_16",
            Decoded(reference.ShapeOf("nested.W_rows_0_16"), packed, absmax[..plain.Length]),
            reference.Doubles("nested.dequant_rows_0_16"), reference.Tolerance("dequant_atol"));
    }

    private static unsafe void CheckInt8(IBackend backend, ReferenceCase reference)
    {
        var shape = reference.ShapeOf("int8.W");
        var values = ToFloats(reference.Doubles("int8.W"));
        var (rows, columns) = (shape[0], shape[1]);
        var plain = new Int8Format(columns, threshold: null);
        using var memory = new HostMemory(plain.Bytes(shape), "int8");
        var (codes, scales) = (new List<double>(), new List<double>());
        for (var row = 0; row < rows; row++)
        {
            var bytes = new byte[plain.BlockBytes];
            var numbers = values.AsSpan(row * columns, columns);
            var most = Int8Quantizer.Absmax(numbers);
            var to = System.Runtime.InteropServices.MemoryMarshal.Cast<byte, sbyte>(bytes.AsSpan(4));
            Int8Quantizer.Quantize(numbers, most, to);
            BitConverter.TryWriteBytes(bytes, most);
            memory.Write((long)row * bytes.Length, bytes);
            codes.AddRange(to.ToArray().Select(code => (double)code));
            scales.Add(most);
        }

        reference.Compare("int8.SCB", [.. scales], reference.Doubles("int8.SCB"), 0);
        reference.Compare("int8.CB", [.. codes], reference.Doubles("int8.CB"), 0);
        var decoded = backend.Import(memory, 0, shape, plain, "int8");
        reference.Compare(
            "int8.W_dequant", decoded.ReadDoubles(), reference.Doubles("int8.W_dequant"),
            reference.Tolerance("dequant_atol"));

        // This older case does not round x to fp16 first: y is off by what fp16 is off, 2^-11 of the largest x, and
        // where that moves a rounding, by a step of 1/127 for a term. q by q it is compared exactly.
        CheckActivations(reference, "t0", float.PositiveInfinity, []);
        CheckActivations(
            reference, "t6", 6, [.. reference.Ints("int8.outlier_cols_t6")]);
        foreach (var (name, threshold) in new[] { ("t0", 0.0), ("t6", 6.0) })
        {
            var format = new Int8Format(columns, threshold);
            using var arena = new Arena(backend, "int8");
            var x = arena.Take(reference.ShapeOf("int8.X"), backend.Activation, "x");
            var bias = arena.Take(new(rows), backend.Accumulation, "bias");
            var y = arena.Take(new(x.Rows, rows), backend.Activation, "y");
            arena.Commit();
            x.Write(reference.Doubles("int8.X"));
            bias.Write(reference.Doubles("int8.bias"));
            backend.Linear.Forward(
                x, backend.Import(memory, 0, shape, format, "int8"), null, new Epilogue(Bias: bias), y);
            var most = reference.Doubles("int8.X").Max(Math.Abs);
            reference.Compare($"int8.Y_{name}", y.ReadDoubles(), reference.Doubles($"int8.Y_{name}"), most / 127);
        }
    }

    private static void CheckActivations(ReferenceCase reference, string name, float threshold, int[] apart)
    {
        var shape = reference.ShapeOf("int8.X");
        var (x, q) = (ToFloats(reference.Doubles("int8.X")), reference.Doubles($"int8.CA_{name}"));
        var scales = reference.Doubles($"int8.SCA_{name}");
        for (var n = 0; n < shape[0]; n++)
        {
            var row = x.AsSpan(n * shape[1], shape[1]);
            var most = Int8Quantizer.Absmax(row, threshold);
            reference.Compare($"int8.SCA_{name}[{n}]", most, scales[n], 0);
            foreach (var i in apart)
            {
                row[i] = 0;
            }

            Int8Quantizer.QuantizeInPlace(row, most);
            reference.Compare(
                $"int8.CA_{name} of row {n}", ToDoubles(row), q.AsSpan(n * shape[1], shape[1]), 0);
        }
    }

    private static double[] Decoded(Shape shape, byte[] packed, float[] absmax)
    {
        var format = Nf4Format.Of(shape[1]);
        var (bytes, values) = (new byte[format.Bytes(shape)], new float[shape.Count]);
        format.Pack(packed, absmax, bytes);
        format.Decode(bytes, 0, values);
        return ToDoubles(values);
    }

    private static double[] ToDoubles(ReadOnlySpan<float> values) => Array.ConvertAll(values.ToArray(), v => (double)v);

    private static float[] ToFloats(double[] values) => Array.ConvertAll(values, value => (float)value);
}
