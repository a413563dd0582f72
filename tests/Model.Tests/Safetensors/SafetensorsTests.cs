using System.Text;
using CsCheck;
using SafeLlama.Common;
using SafeLlama.Kernels;
using SafeLlama.Testing;

namespace SafeLlama.Model.Tests;

[Category("Fault")]
public sealed class SafetensorsTests
{
    [Test]
    public void What_is_written_is_read_back_in_every_stored_type(
        [Values(DType.Float32, DType.BFloat16, DType.Float16)] DType type)
    {
        var path = Path.Combine(TestFiles.NewFolder(), "model.safetensors");
        using var backend = new ReferenceBackend();
        using var weights = LlamaWeights.InitializeRandom(backend, TinyLlama.Config, seed: 1);
        weights.Save(path, type);
        var loaded = LlamaWeights.Load(backend, TinyLlama.Config, Path.GetDirectoryName(path)!);
        foreach (var shape in LlamaShapes.Of(TinyLlama.Config))
        {
            var expected = weights[shape.Name].Value.ReadDoubles();
            // half a unit in the last place
            var tolerance = type switch { DType.Float32 => 6e-8, DType.Float16 => 5e-4, _ => 4e-3 };
            Assert.That(loaded[shape.Name].Value.Type, Is.EqualTo(type));
            Assert.That(loaded[shape.Name].Value.ReadDoubles().Zip(expected,
                (a, e) => Math.Abs(a - e) / Math.Max(Math.Abs(e), 1e-4)).Max(), Is.LessThan(tolerance), shape.Name);
        }

        loaded.Dispose();
    }

    [Test]
    public void A_tensor_of_many_parts_is_written_whole()
    {
        var path = Path.Combine(TestFiles.NewFolder(), "a.safetensors");
        using var backend = new ReferenceBackend();
        using var arena = new Arena(backend, "test");
        var tensor = arena.Take(new(5, 700_000), DType.Float32, "a");   // a part is 1,048,576 elements or one row
        arena.Commit();
        tensor.Write([.. Enumerable.Range(0, 3_500_000).Select(i => (float)i)]);
        SafetensorsWriter.Write(path, [SafetensorsItem.Of("a", tensor, DType.Float32)]);
        using var file = SafetensorsFile.Open(path);
        Assert.That(file.Import(file.Entries["a"], backend).ReadFloats(), Is.EqualTo(tensor.ReadFloats()));
    }

    [TestCase("{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}", 4, "truncated")]
    [TestCase("{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,4]}}", 4, "expected 8")]
    [TestCase(
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]},"
        + "\"b\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}",
        4, "overlap")]
    [TestCase("{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}", 8, "hole")]
    [TestCase("{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}", 12, "after its last tensor")]
    [TestCase("{\"a\":{\"dtype\":\"F32\",\"shape\":[-1],\"data_offsets\":[0,4]}}", 4, "header")]
    [TestCase("{\"a\":{\"dtype\":\"F32\",\"shape\":[1]}}", 4, "header")]
    [TestCase("[1, 2", 0, "header")]
    public void A_damaged_file_is_one_clear_line(string header, int data, string expected)
    {
        var error = Assert.Throws<SafeLlamaException>(() => Open(Bytes((ulong)Encoding.UTF8.GetByteCount(header),
            header, data)))!;
        Assert.Multiple(() =>
        {
            Assert.That(error.Message, Does.Contain("damaged.safetensors").And.Contain(expected));
            Assert.That(error.Message, Does.Not.Contain('\n'));
            Assert.That(error.Code, Is.EqualTo(ExitCode.InvalidData));
        });
    }

    [TestCase("{\"a\":{\"dtype\":\"F64\",\"shape\":[1073741824,1073741824,2],\"data_offsets\":[0,0]}}", "header")]
    [TestCase("{\"a\":{\"dtype\":\"F4\",\"shape\":[1],\"data_offsets\":[0,9223372036854775807]}}", "header")]
    public void Sizes_past_64_bits_do_not_wrap_around(string header, string expected)
    {
        var error =
            Assert.Throws<SafeLlamaException>(() => Open(Bytes((ulong)Encoding.UTF8.GetByteCount(header), header, 0)))!;
        Assert.That(error.Message, Does.Contain(expected));
    }

    [Test]
    public void A_closed_file_says_so_instead_of_reading_what_is_gone()
    {
        var path = Path.Combine(TestFiles.NewFolder(), "model.safetensors");
        using var backend = new ReferenceBackend();
        using var weights = LlamaWeights.InitializeRandom(backend, TinyLlama.Config, seed: 1);
        weights.Save(path, DType.Float32);
        var file = SafetensorsFile.Open(path);
        var tensor = file.Import(file.Entries[LlamaShapes.FinalNormName], backend);
        file.Dispose();
        file.Dispose();
        Assert.That(() => tensor.ReadDoubles(), Throws.InstanceOf<ObjectDisposedException>());
    }

    [TestCase(DType.Int32, "I32")]
    [TestCase(DType.Float64, "F64")]
    public void A_weight_of_a_type_the_device_does_not_read_is_named(DType type, string expected)
    {
        var path = Path.Combine(TestFiles.NewFolder(), "model.safetensors");
        using var backend = new CpuBackend(1);
        using var weights = LlamaWeights.InitializeRandom(backend, TinyLlama.Config, seed: 1);
        weights.Save(path, type);
        var error = Assert.Throws<SafeLlamaException>(
            () => LlamaWeights.Load(backend, TinyLlama.Config, Path.GetDirectoryName(path)!))!;
        Assert.That(error.Message, Does.Contain(expected).And.Contain("expected F32, F16 or BF16"));
    }

    [TestCase(1000ul)]
    [TestCase(ulong.MaxValue)]
    public void A_header_larger_than_the_file_is_refused(ulong size)
    {
        var error = Assert.Throws<SafeLlamaException>(() => Open(Bytes(size, "{}", 0)))!;
        Assert.That(error.Message, Does.Contain("claims"));
    }

    [Test]
    public void No_bytes_crash_the_reader()
    {
        var fine = Bytes(61, "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}       ", 4);
        Gen.Select(Gen.Int[0, fine.Length - 1], Gen.Byte, Gen.Int[0, fine.Length]).Sample(
            (place, value, length) =>
            {
                var bytes = fine[..length];
                if (place < length)
                {
                    bytes[place] = value;
                }

                try
                {
                    Open(bytes);
                }
                catch (SafeLlamaException)
                {
                    // The only kind of exception that may come.
                }
            },
            iter: 500,
            threads: 1);
    }

    [Test]
    public void A_value_that_is_not_finite_is_named()
    {
        var folder = TestFiles.NewFolder();
        using var backend = new ReferenceBackend();
        using var weights = LlamaWeights.InitializeRandom(backend, TinyLlama.Config, seed: 1);
        var norm = weights[LlamaShapes.FinalNormName].Value;
        var values = norm.ReadDoubles();
        values[7] = double.NaN;
        norm.Write(values);
        weights.Save(Path.Combine(folder, "model.safetensors"), DType.BFloat16);
        var error = Assert.Throws<SafeLlamaException>(() => LlamaWeights.Load(backend, TinyLlama.Config, folder))!;
        Assert.That(error.Message, Does.Contain(LlamaShapes.FinalNormName).And.Contain("element 7"));
    }

    [Test]
    public void A_tensor_that_disagrees_with_the_config_is_named()
    {
        var folder = TestFiles.NewFolder();
        using var backend = new ReferenceBackend();
        using var weights = LlamaWeights.InitializeRandom(backend, TinyLlama.Config, seed: 1);
        weights.Save(Path.Combine(folder, "model.safetensors"), DType.Float32);
        var wider = Assert.Throws<SafeLlamaException>(() => LlamaWeights.Load(backend,
            TinyLlama.Config with { IntermediateSize = 30 }, folder))!;
        Assert.That(
            wider.Message, Does.Contain("mlp.gate_proj.weight").And.Contain("[29, 18]").And.Contain("[30, 18]"));
        var deeper = Assert.Throws<SafeLlamaException>(() => LlamaWeights.Load(backend,
            TinyLlama.Config with { Layers = 3 }, folder))!;
        Assert.That(deeper.Message, Does.Contain("model.layers.2").And.Contain("missing"));
    }

    [Test]
    public void A_missing_shard_is_named()
    {
        var folder = TestFiles.NewFolder();
        var model = Path.Combine(TestFiles.Reference, "models", "C-headdim");
        foreach (var file in Directory.GetFiles(model).Where(
            f => !f.EndsWith("00002-of-00003.safetensors", StringComparison.Ordinal)))
        {
            File.Copy(file, Path.Combine(folder, Path.GetFileName(file)));
        }

        using var backend = new ReferenceBackend();
        var error =
            Assert.Throws<SafeLlamaException>(() => LlamaWeights.Load(backend, LlamaConfig.Load(folder), folder))!;
        Assert.That(error.Message, Does.Contain("model-00002-of-00003.safetensors").And.Contain("not found"));
    }

    private static byte[] Bytes(ulong size, string header, int data) =>
        [.. BitConverter.GetBytes(size), .. Encoding.UTF8.GetBytes(header), .. new byte[data]];

    private static void Open(byte[] bytes)
    {
        var folder = TestFiles.NewFolder();
        var path = Path.Combine(folder, "damaged.safetensors");
        File.WriteAllBytes(path, bytes);
        try
        {
            using var file = SafetensorsFile.Open(path);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
