using System.Buffers.Binary;
using System.Text;
using SafeLlama.Common;
using SafeLlama.Kernels;
using SafeLlama.Testing;

namespace SafeLlama.Model.Tests.Gguf;

/// <summary>Damaged GGUF files: one clear line or a file that is right, and little memory.</summary>
[Category("Fault")]
public sealed class GgufFaultTests
{
    private static readonly byte[] Whole = Make();

    [Test]
    public void Ten_thousand_damaged_headers_load_or_give_one_line()
    {
        var folder = TestFiles.NewFolder();
        var path = Path.Combine(folder, "damaged.gguf");
        var random = new Random(20);
        var (loaded, before) = (0, GC.GetTotalAllocatedBytes());
        for (var i = 0; i < 10_000; i++)
        {
            File.WriteAllBytes(path, Damage(random));
            try
            {
                var config = GgufConfig.Read(GgufHeader.Read(path));
                using var backend = new ReferenceBackend();
                using var weights = LlamaWeights.Load(backend, config, path);
                loaded++;
            }
            catch (SafeLlamaException e)
            {
                Assert.That(e.Message, Does.StartWith(path).And.Not.Contain("\n"), $"damage {i}");
                Assert.That(e.Code, Is.EqualTo(ExitCode.InvalidData), e.Message);
            }
        }

        // Some damage lies in a name's text, a weight or an unused key, and is none.
        Assert.That(loaded, Is.InRange(1, 9_000));
        Assert.That((GC.GetTotalAllocatedBytes() - before) / 10_000, Is.LessThan(1 << 20), "bytes for each file");
    }

    [TestCase(4, 1u, "version 1")]
    [TestCase(4, 0x03000000u, "byte order")]
    [TestCase(8, uint.MaxValue, "the number of tensors")]
    [TestCase(16, uint.MaxValue, "the number of keys")]
    public void A_wrong_head_is_named(int at, uint value, string named)
    {
        var bytes = (byte[])Whole.Clone();
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(at), value);
        Assert.That(Fault(bytes), Does.Contain(named));
    }

    [Test]
    public void Version_2_is_read()
    {
        var bytes = (byte[])Whole.Clone();
        bytes[4] = 2;
        var path = Path.Combine(TestFiles.NewFolder(), "version2.gguf");
        File.WriteAllBytes(path, bytes);
        using var backend = new ReferenceBackend();
        using var weights = LlamaWeights.Load(backend, LlamaConfig.Load(path), path);
        Assert.That(weights.Ignored, Is.Empty);
    }

    [Test]
    public void A_truncated_file_is_refused() => Assert.That(Fault(Whole[..^40]), Does.Contain("truncated"));

    [Test]
    public void Bytes_after_the_last_tensor_are_refused() =>
        Assert.That(Fault([.. Whole, .. new byte[64]]), Does.Contain("after its last tensor"));

    [Test]
    public void Another_architecture_is_refused() =>
        Assert.That(Fault(Replaced("llama", "qwen2")), Does.Contain("\"qwen2\", expected \"llama\""));

    [Test]
    public void A_value_that_is_not_finite_is_refused()
    {
        var bytes = (byte[])Whole.Clone();
        BinaryPrimitives.WriteSingleLittleEndian(bytes.AsSpan(bytes.Length - 64), float.NaN);
        Assert.That(Fault(bytes), Does.Contain("is not finite at element"));
    }

    private static byte[] Replaced(string from, string to)
    {
        var bytes = (byte[])Whole.Clone();

        // The first time it is a value it is that of general.architecture, which stands first.
        var at = bytes.AsSpan().IndexOf(Encoding.UTF8.GetBytes(from));
        Encoding.UTF8.GetBytes(to).CopyTo(bytes, at);
        return bytes;
    }

    private static string Fault(byte[] bytes)
    {
        var path = Path.Combine(TestFiles.NewFolder(), "damaged.gguf");
        File.WriteAllBytes(path, bytes);
        return Assert.Throws<SafeLlamaException>(() =>
        {
            using var backend = new ReferenceBackend();
            using var weights = LlamaWeights.Load(backend, LlamaConfig.Load(path), path);
        })!.Message;
    }

    /// <summary>One to four faults: a byte, a number, a piece left out, put in twice, or the end cut off.</summary>
    private static byte[] Damage(Random random)
    {
        var bytes = Whole.ToList();
        for (var faults = random.Next(1, 5); faults > 0; faults--)
        {
            // Most of the file is weights; faults belong into the header, all but some.
            var at = random.Next(random.Next(8) == 0 ? bytes.Count : Math.Min(bytes.Count, 2500));
            var count = Math.Min(random.Next(1, 9), bytes.Count - at);
            switch (random.Next(5))
            {
                case 0:
                    bytes[at] = (byte)random.Next(256);
                    break;
                case 1:
                    for (var i = 0; i < count; i++)
                    {
                        bytes[at + i] = random.Next(2) == 0 ? (byte)255 : (byte)0;
                    }

                    break;
                case 2:
                    bytes.RemoveRange(at, count);
                    break;
                case 3:
                    bytes.InsertRange(at, bytes.GetRange(at, count));
                    break;
                default:
                    bytes[at] ^= (byte)(1 << random.Next(8));
                    break;
            }

            if (bytes.Count == 0)
            {
                bytes.Add(0);
            }
        }

        return random.Next(10) == 0 ? [.. bytes.Take(random.Next(bytes.Count))] : [.. bytes];
    }

    private static byte[] Make()
    {
        var path = Path.Combine(TestFiles.NewFolder(), "whole.gguf");
        using var backend = new ReferenceBackend();
        using var weights = LlamaWeights.InitializeRandom(backend, TinyLlama.Config, 1);
        new GgufModel(
            weights,
            null,
            "tiny",
            GgufFormat.F32,
            [("tokenizer.ggml.model", "none"), ("tokenizer.ggml.tokens", (string[])["a", "b"])],
            Threads: 1).Write(path);
        return File.ReadAllBytes(path);
    }
}
