namespace SafeLlama.Kernels.Tests;

internal sealed class TensorTests
{
    [Test]
    public void A_shape_is_read_as_a_matrix()
    {
        Assert.That(new Shape(2, 3, 4).AsMatrix(), Is.EqualTo((6, 4)));
        Assert.That(new Shape(5).AsMatrix(), Is.EqualTo((1, 5)));
        Assert.That(new Shape().AsMatrix(), Is.EqualTo((1, 1)));
        Assert.That(new Shape(3, 0).AsMatrix(), Is.EqualTo((0, 0)));
        Assert.That(new Shape(2, 3).ToString(), Is.EqualTo("[2, 3]"));
    }

    [Test]
    public void A_shape_refuses_what_cannot_be_counted()
    {
        Assert.That(() => new Shape(2, -1), Throws.InstanceOf<ArgumentOutOfRangeException>());
        Assert.That(
            () => new Shape(int.MaxValue, int.MaxValue, int.MaxValue).Count, Throws.InstanceOf<OverflowException>());
    }

    [Test]
    public void Equal_shapes_are_equal()
    {
        Assert.That(new Shape(2, 3), Is.EqualTo(new Shape(2, 3)));
        Assert.That(new Shape(2, 3) != new Shape(3, 2));
        Assert.That(new Shape(2, 3).GetHashCode(), Is.EqualTo(new Shape(2, 3).GetHashCode()));
    }

    [TestCase(DType.Float64)]
    [TestCase(DType.Float32)]
    [TestCase(DType.BFloat16)]
    [TestCase(DType.Float16)]
    [TestCase(DType.Int32)]
    public void What_is_written_is_read_back(DType type)
    {
        using var backend = new CpuBackend(1);
        using var arena = new Arena(backend, "test");
        var tensor = arena.Take(new(2, 1024), type, "x");
        arena.Commit();
        var values = Enumerable.Range(0, 2048).Select(i => (double)(i % 128)).ToArray();   // exact in every type
        tensor.Write(values);
        Assert.That(tensor.ReadDoubles(), Is.EqualTo(values));
        Assert.That(tensor.ReadFloats(), Is.EqualTo(values));
        Assert.That(tensor.Slice(1, 1).ReadDoubles(), Is.EqualTo(values[1024..]));
        tensor.Clear();
        Assert.That(tensor.ReadDoubles(), Is.All.Zero);
    }

    /// <summary>
    /// 1 + 2⁻⁸ + 2⁻⁴⁰ is just above the middle of two bfloat16; rounded to float first, it is the middle.
    /// </summary>
    [TestCase(1)]
    [TestCase(-1)]
    public void Doubles_are_rounded_once(int sign)
    {
        var bytes = new byte[2];
        TensorConvert.FromDoubles([sign * (1 + Math.Pow(2, -8) + Math.Pow(2, -40))], DType.BFloat16, bytes);
        Assert.That(DTypes.WidenBFloat16(BitConverter.ToUInt16(bytes)), Is.EqualTo(sign * (1 + (1 / 128f))));
    }

    [Test]
    public void Narrowing_rounds_to_nearest_even()
    {
        Assert.That(DTypes.NarrowBFloat16(1 + (1 / 256f)), Is.EqualTo(0x3F80));        // halfway, down to even
        Assert.That(DTypes.NarrowBFloat16(1 + (3 / 256f)), Is.EqualTo(0x3F82));        // halfway, up to even
        Assert.That(DTypes.NarrowBFloat16(float.PositiveInfinity), Is.EqualTo(0x7F80));
        Assert.That(DTypes.WidenBFloat16(DTypes.NarrowBFloat16(float.NaN)), Is.NaN);
        Assert.That(DTypes.NarrowBFloat16(float.MaxValue), Is.EqualTo(0x7F80), "rounds up to infinity");
    }

    [Test]
    public void Rows_a_multiple_of_a_page_apart_are_padded()
    {
        using var backend = new CpuBackend(1);
        Assert.That(backend.RowStride(1024, DType.Float32), Is.EqualTo(1040));
        Assert.That(backend.RowStride(2048, DType.BFloat16), Is.EqualTo(2080));
        Assert.That(backend.RowStride(1000, DType.Float32), Is.EqualTo(1000));
    }

    [Test]
    public void A_tensor_over_memory_borrows_it()
    {
        using var memory = new HostMemory(64, "test");
        memory.Write(8, [0x80, 0x3F, 0x00, 0x40]);
        using var backend = new CpuBackend(1);
        var tensor = backend.Import(memory, 8, new(1, 2), WeightFormat.BF16, "weight");
        Assert.That(tensor.ReadDoubles(), Is.EqualTo(new[] { 1.0, 2.0 }));
        memory.Write(8, [0x00, 0x40]);
        Assert.That(tensor.ReadDoubles()[0], Is.EqualTo(2.0));
    }

    [Test]
    public void A_wrong_count_or_type_is_named()
    {
        using var backend = new CpuBackend(1);
        using var arena = new Arena(backend, "test");
        var tensor = arena.Take(new(2, 3), DType.Float32, "x");
        Assert.That(() => tensor.ReadDoubles(), Throws.InvalidOperationException.With.Message.Contains("Commit"));
        arena.Commit();
        Assert.That(
            () => tensor.Write(new double[5]),
            Throws.ArgumentException.With.Message.Contains("6 elements [2, 3], got 5"));
        Assert.That(() => tensor.ReadInts(), Throws.ArgumentException.With.Message.Contains("stores Float32"));
        Assert.That(() => tensor.AsRows<int>(), Throws.ArgumentException, "as large, and another type");
        Assert.That(() => tensor.AsElements<float>(), Throws.ArgumentException.With.Message.Contains("2 rows"));
        Assert.That(() => tensor.Slice(1, 2), Throws.InstanceOf<ArgumentOutOfRangeException>());
        Assert.That(
            () => arena.Take(new(1), "late"), Throws.InvalidOperationException.With.Message.Contains("comes too late"));
    }

    [Test]
    public void An_arena_gives_each_tensor_its_own_aligned_place()
    {
        using var backend = new CpuBackend(1);
        using var arena = new Arena(backend, "test");
        var tensors = Enumerable.Range(1, 20).Select(i => arena.Take(new(i, i), $"t{i}")).ToList();
        var planned = arena.ByteCount;
        arena.Commit();
        for (var i = 0; i < tensors.Count; i++)
        {
            Assert.That(tensors[i].ByteOffset % 256, Is.Zero);
            tensors[i].Write(Enumerable.Repeat((double)i, (int)tensors[i].Shape.Count).ToArray());
        }

        for (var i = 0; i < tensors.Count; i++)
        {
            Assert.That(tensors[i].ReadDoubles(), Is.All.EqualTo(i));
        }

        Assert.That(planned, Is.EqualTo(tensors[0].Storage.ByteCount));
        arena.Clear();
        Assert.That(tensors[19].ReadDoubles(), Is.All.Zero);
    }

    [Test]
    public void Memory_is_zero_bounded_and_gone_after_dispose()
    {
        var memory = new HostMemory(100, "test");
        var bytes = new byte[100];
        memory.Read(0, bytes);
        Assert.That(bytes, Is.All.Zero);
        Assert.That(() => memory.Read(1, bytes), Throws.InstanceOf<ArgumentOutOfRangeException>());
        Assert.That(() => memory.Clear(-1, 1), Throws.InstanceOf<ArgumentOutOfRangeException>());
        memory.Dispose();
        Assert.That(() => memory.Read(0, bytes), Throws.InstanceOf<ObjectDisposedException>());
    }

    [Test]
    public void Memory_that_does_not_exist_is_refused_in_one_line() =>
        Assert.That(
            () => new HostMemory(long.MaxValue / 2, "activations"),
            Throws.InstanceOf<Common.SafeLlamaException>().With.Message.Contains("activations"));
}
