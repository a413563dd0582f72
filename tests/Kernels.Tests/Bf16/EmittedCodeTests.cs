using Iced.Intel;

namespace SafeLlama.Kernels.Tests.Bf16;

/// <summary>The emitted machine code, read by another program's decoder and written by its encoder.</summary>
internal sealed class EmittedCodeTests
{
    /// <summary>Machine code, and what our encoder says it is.</summary>
    internal sealed record Emitted(string Name, byte[] Code, IReadOnlyList<string> Listing)
    {
        public override string ToString() => Name;
    }

    private static IEnumerable<Emitted> Codes()
    {
        foreach (var windows in new[] { false, true })
        {
            var system = windows ? "Windows" : "System V";
            foreach (var form in Enum.GetValues<TileForm>())
            {
                for (var rows = 1; rows <= TileCode.Rows; rows++)
                {
                    for (var vectors = 1; vectors <= 2; vectors++)
                    {
                        yield return new(
                            $"{form}, {rows} x {vectors}, {system}", TileCode.Write(form, rows, vectors, windows),
                            TileCode.List(form, rows, vectors, windows));
                    }
                }
            }

            yield return new($"rounding, {system}", RoundingCode.Write(windows), RoundingCode.List(windows));
        }
    }

    [TestCaseSource(nameof(Codes))]
    public void All_code_is_what_another_encoder_writes_for_its_instructions(Emitted emitted)
    {
        var instructions = Decode(emitted.Code);
        Assert.That(instructions.Select(i => i.IsInvalid), Is.All.False);
        Assert.That(instructions[^1].Mnemonic, Is.EqualTo(Mnemonic.Ret));

        // Another encoder may choose other lengths; what it writes must decode to the same text.
        var writer = new BytesWriter();
        Assert.That(
            BlockEncoder.TryEncode(64, new InstructionBlock(writer, instructions, 0), out var error, out _), Is.True,
            error);
        Assert.That(Text(Decode([.. writer.Bytes])), Is.EqualTo(Text(instructions)));
    }

    [TestCaseSource(nameof(Codes))]
    public void The_listing_is_what_another_decoder_reads(Emitted emitted) =>
        Assert.That(emitted.Listing.Where(line => line[0] != ';'), Is.EqualTo(Text(Decode(emitted.Code))));

    [TestCaseSource(nameof(Codes))]
    public void No_code_uses_a_register_that_its_caller_wants_back(Emitted emitted)
    {
        Register[] free =
        [
            Register.RAX, Register.RCX, Register.RDX, Register.R8, Register.R9, Register.R10, Register.R11,
        ];
        var factory = new InstructionInfoFactory();
        var written = new HashSet<Register>();
        foreach (var instruction in Decode(emitted.Code).SkipLast(1))
        {
            foreach (var used in factory.GetInfo(instruction).GetUsedRegisters())
            {
                if (used.Access is OpAccess.Write or OpAccess.ReadWrite or OpAccess.CondWrite)
                {
                    written.Add(used.Register.GetFullRegister());
                }
            }
        }

        Assert.That(written.Where(r => r.IsGPR()), Is.SubsetOf(free));
    }

    [Test]
    public void The_largest_tile_reads_as_its_page_prints_it()
    {
        var text = string.Join('\n', TileCode.List(TileForm.Rows, TileCode.Rows, 2, windows: false)) + '\n';
        var golden = Path.Combine(TestContext.CurrentContext.TestDirectory, "Bf16", "tile-12x2.txt");
        if (Environment.GetEnvironmentVariable("SAFELLAMA_WRITE_GOLDEN") is { } folder)
        {
            File.WriteAllText(Path.Combine(folder, "tile-12x2.txt"), text);
        }

        Assert.That(text, Is.EqualTo(File.ReadAllText(golden)));
    }

    private static List<Instruction> Decode(byte[] code)
    {
        var decoder = Decoder.Create(64, new ByteArrayCodeReader(code));
        var instructions = new List<Instruction>();
        while (decoder.IP < (ulong)code.Length)
        {
            instructions.Add(decoder.Decode());
        }

        return instructions;
    }

    /// <summary>One line an instruction; jumps name the number of the instruction they go to.</summary>
    private static List<string> Text(List<Instruction> instructions)
    {
        var places = instructions.Select((instruction, index) => (instruction.IP, index))
            .ToDictionary(p => p.IP, p => p.index);
        var formatter = new NasmFormatter();
        var lines = new List<string>();
        foreach (var instruction in instructions)
        {
            if (instruction.IsJmpShortOrNear || instruction.IsJccShortOrNear)
            {
                var mnemonic = new StringOutput();
                formatter.FormatMnemonic(instruction, mnemonic, FormatMnemonicOptions.NoPrefixes);
                lines.Add($"{mnemonic.ToString().Split(' ')[0]} {places[instruction.NearBranchTarget]}");
                continue;
            }

            var output = new StringOutput();
            formatter.Format(instruction, output);
            lines.Add(output.ToString());
        }

        return lines;
    }

    private sealed class BytesWriter : CodeWriter
    {
        public List<byte> Bytes { get; } = [];

        public override void WriteByte(byte value) => Bytes.Add(value);
    }
}
