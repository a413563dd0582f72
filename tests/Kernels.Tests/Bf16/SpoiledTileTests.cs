using Iced.Intel;

namespace SafeLlama.Kernels.Tests.Bf16;

/// <summary>
/// Every tile that attention and products run, spoiled in one place: the comparison of bytes with the emulation must
/// find it.
/// </summary>
internal sealed class SpoiledTileTests
{
    internal enum Spoil
    {
        /// <summary>Pairs of the first row begin one element late.</summary>
        Pair,

        /// <summary>The last row takes the pair of the next step.</summary>
        Row,

        /// <summary>The first rows advance half as far.</summary>
        Stride,

        /// <summary>Sums are stored whole where a mask cuts them.</summary>
        Store,
    }

    /// <summary>Scores: 1 to 12 keys × 32 queries; sums over queries by fours of keys; over keys, 32 queries.</summary>
    private static IEnumerable<(TileForm Form, int Rows, int Vectors)> TilesOfAttention() =>
    [
        .. Enumerable.Range(1, TileCode.Rows).Select(rows => (TileForm.Rows, rows, 2)),
        (TileForm.Rows, 4, 1), (TileForm.Rows, 8, 1), (TileForm.Rows, 12, 1),
        (TileForm.Scores, 8, 1), (TileForm.Scores, 12, 1), (TileForm.Scores, 8, 2), (TileForm.Scores, 12, 2),
    ];

    [Test]
    public void A_spoiled_tile_of_attention_is_caught(
        [ValueSource(nameof(TilesOfAttention))] (TileForm, int, int) tile,
        [Values(Spoil.Pair, Spoil.Row, Spoil.Stride)] Spoil spoil)
    {
        Assume.That(Bf16Tiles.IsSupported, "no AVX512_BF16");
        var (form, rows, vectors) = tile;
        // Fewer keys than a whole tile are the last of a block; one vector is half of d.
        var keys = form == TileForm.Rows ? 36 + (rows % TileCode.Rows) : 44;
        var headDim = vectors == 1 ? 16 : 32;
        var emulated = Attention(null, keys, headDim);
        Assert.That(Attention(Tiles(null, default), keys, headDim), Is.EqualTo(emulated), "before it is spoiled");
        Assert.That(Attention(Tiles(tile, spoil), keys, headDim), Is.Not.EqualTo(emulated));
    }

    [Test]
    public void A_spoiled_tile_of_a_product_is_caught(
        [Values(TileForm.Rows, TileForm.Panels)] TileForm form, [Range(1, TileCode.Rows)] int rows,
        [Values(1, 2)] int vectors, [Values] Spoil spoil)
    {
        Assume.That(Bf16Tiles.IsSupported, "no AVX512_BF16");
        // The last tile has these rows; columns after two whole panels fill no vector.
        var (height, width) = (132 + rows, 64 + (vectors == 1 ? 9 : 25));
        var emulated = Product(null, form, height, width);
        Assert.That(Product(Tiles(null, default), form, height, width), Is.EqualTo(emulated), "before it is spoiled");
        Assert.That(Product(Tiles((form, rows, vectors), spoil), form, height, width), Is.Not.EqualTo(emulated));
    }

    private static double[] Attention(Bf16Tiles? tiles, int rows, int headDim)
    {
        using var backend = new CpuBackend(1, DType.BFloat16);
        using var t = new TestTensors(backend);
        using var pool = new TilePool(1);
        return [.. Bf16AttentionTests.Run(t, new AttentionCpu<Lanes512>(pool, tiles), rows, headDim, examples: 1)
            .SelectMany(tensor => tensor.ReadDoubles())];
    }

    private static double[] Product(Bf16Tiles? tiles, TileForm form, int rows, int columns)
    {
        const int K = 40;
        using var backend = new CpuBackend(1, DType.BFloat16);
        using var t = new TestTensors(backend);
        using var pool = new TilePool(1);
        var linear = new LinearCpu<Lanes512>(pool, new SwiGluCpu<Lanes512>(pool), DType.BFloat16, tiles);
        // A row more, where a mask that is gone would write.
        var y = t.Gradient("y", new(rows + 1, columns));
        if (form == TileForm.Rows)
        {
            linear.Forward(t.Input("x", new(rows, K)), t.Input("w", new(columns, K)), y.Slice(0, rows));
        }
        else
        {
            linear.BackwardWeight(t.Input("dy", new(K, rows)), t.Input("x", new(K, columns)), y.Slice(0, rows), null);
        }

        return y.ReadDoubles();
    }

    private static Bf16Tiles Tiles((TileForm Form, int Rows, int Vectors)? spoiled, Spoil spoil) =>
        Bf16Tiles.TryCreate(out var reason, (tile, code) => tile == spoiled ? Spoiled(code, spoil) : code)
            ?? throw new InvalidOperationException(reason);

    private static byte[] Spoiled(byte[] code, Spoil spoil)
    {
        var decoder = Decoder.Create(64, new ByteArrayCodeReader(code));
        var instructions = new List<Instruction>();
        while (decoder.IP < (ulong)code.Length)
        {
            instructions.Add(decoder.Decode());
        }

        var place = spoil switch
        {
            Spoil.Pair => instructions.FindIndex(i => i.Mnemonic == Mnemonic.Vpbroadcastd),
            Spoil.Row => instructions.FindLastIndex(i => i.Mnemonic == Mnemonic.Vpbroadcastd),
            Spoil.Stride => instructions.FindIndex(i => i.Mnemonic == Mnemonic.Add && i.Op0Register == Register.RAX
                && i.Op1Kind.ToString().StartsWith("Immediate", StringComparison.Ordinal)),
            _ => 0,
        };
        var instruction = instructions[place];
        switch (spoil)
        {
            case Spoil.Pair:
                instruction.MemoryDisplacement64 += 2;
                instruction.MemoryDisplSize = 8;
                break;
            case Spoil.Row:
                instruction.MemoryDisplacement64 += 4;
                instruction.MemoryDisplSize = 8;
                break;
            case Spoil.Stride:
                instruction.SetImmediate(1, instruction.GetImmediate(1) / 2);
                break;
            default:
                var stores = Enumerable.Range(0, instructions.Count)
                    .Where(i => instructions[i].Mnemonic == Mnemonic.Vmovups && instructions[i].HasOpMask).ToList();
                foreach (var store in stores)
                {
                    var whole = instructions[store];
                    whole.OpMask = Register.None;
                    instructions[store] = whole;
                }

                break;
        }

        if (spoil != Spoil.Store)
        {
            instructions[place] = instruction;
        }

        var writer = new BytesWriter();
        return BlockEncoder.TryEncode(64, new InstructionBlock(writer, instructions, 0), out var error, out _)
            ? [.. writer.Bytes] : throw new InvalidOperationException(error);
    }

    private sealed class BytesWriter : CodeWriter
    {
        public List<byte> Bytes { get; } = [];

        public override void WriteByte(byte value) => Bytes.Add(value);
    }
}
