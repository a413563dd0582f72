using System.Runtime.InteropServices;
using System.Text.Json;
using SafeLlama.Common;
using SafeLlama.Model;

namespace SafeLlama.Interop.Tests;

/// <summary>Stored blocks against those of libllama: zeros, constants, outliers, subnormal scales.</summary>
public sealed class BlockTests
{
    private static readonly JsonElement File = JsonDocument.Parse(
        System.IO.File.ReadAllText(Path.Combine(Expected.Folder, "quant-blocks.json"))).RootElement;

    private static float[] Values => MemoryMarshal.Cast<byte, float>(Bytes("f32")).ToArray();

    [TestCase(GgufType.F16)]
    [TestCase(GgufType.BF16)]
    [TestCase(GgufType.Q8_0)]
    [TestCase(GgufType.Q4_0)]
    [TestCase(GgufType.Q5_0)]
    [TestCase(GgufType.Q5_1)]
    [TestCase(GgufType.Q4_K)]
    [TestCase(GgufType.Q6_K)]
    public void Encoded_blocks_have_the_bytes_of_libllama(GgufType type)
    {
        var (values, expected) = (Values, Bytes(type.ToString()));
        var encoded = new byte[type.ByteCount(values.Length)];
        GgufBlocks.Encode(type, values, encoded);
        for (var block = 0; block < encoded.Length / type.BlockBytes(); block++)
        {
            var part = (block * type.BlockBytes())..((block + 1) * type.BlockBytes());
            Assert.That(encoded[part], Is.EqualTo(expected[part]), $"block {block}");
        }
    }

    /// <summary>A step is that of the largest magnitude of a block, 0.5 here.</summary>
    [TestCase(GgufType.Q8_0, 1 / 127.0)]
    [TestCase(GgufType.Q4_0, 1 / 8.0)]
    [TestCase(GgufType.Q5_0, 1 / 16.0)]
    [TestCase(GgufType.Q5_1, 1 / 15.5)]
    [TestCase(GgufType.Q4_K, 1 / 7.0)]
    [TestCase(GgufType.Q6_K, 1 / 30.0)]
    public void Decoded_values_are_within_a_step_of_what_was_encoded(GgufType type, double step)
    {
        var random = new Random(5);
        var values = Enumerable.Range(0, 2560).Select(_ => (float)(random.NextDouble() - 0.5)).ToArray();
        var (encoded, decoded) = (new byte[type.ByteCount(values.Length)], new float[values.Length]);
        GgufBlocks.Encode(type, values, encoded);
        GgufBlocks.Decode(type, encoded, decoded);

        // Half the largest magnitude is 0.5; a value is at most a step of its block away.
        for (var i = 0; i < values.Length; i++)
        {
            Assert.That(decoded[i], Is.EqualTo(values[i]).Within(0.5 * step), $"value {i}");
        }
    }

    private static byte[] Bytes(string name) => File.GetProperty(name).GetBytesFromBase64();
}
