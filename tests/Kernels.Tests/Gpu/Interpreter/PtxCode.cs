namespace SafeLlama.Kernels.Tests;

/// <summary>
/// A program made ready to run: for each instruction what one thread does, or what a warp does together.
/// </summary>
internal sealed class PtxCode
{
    private readonly PtxProgram _program;
    private readonly PtxOperands _operands;
    private readonly byte[] _parameters;
    private readonly Dictionary<string, int> _parameterPlaces = [];

    /// <param name="program">What to run.</param>
    /// <param name="arguments">The bytes of each parameter, in order.</param>
    public PtxCode(PtxProgram program, params byte[][] arguments)
    {
        (_program, _operands) = (program, new PtxOperands(program));
        _parameters = [.. arguments.SelectMany(a => a)];
        var at = 0;
        foreach (var ((name, bytes), argument) in program.Parameters.Zip(arguments))
        {
            Assert.That(argument, Has.Length.EqualTo(bytes), $"parameter {name}");
            _parameterPlaces[name] = at;
            at += bytes;
        }

        Steps = [.. program.Instructions.Select(Compile)];
    }

    public PtxStep[] Steps { get; }

    private PtxStep Compile(PtxInstruction i)
    {
        if (!PtxForms.Known.Contains(i.Opcode))
        {
            throw new NotSupportedException($"opcode {i.Opcode} is unknown: PtxForms lists those that have a vector");
        }

        var guard = i.Guard is null ? null : _operands.Source(i.Guard);
        bool Runs(PtxThread t) => guard is null || (guard(t) != 0) != i.GuardIsNegated;
        var parts = i.Opcode.Split('.');
        switch (parts[0])
        {
            case "bra":
                var label = _program.Label(i.Operands[0]);
                return new((PtxThread t) => t.Next = Runs(t) ? label : t.Next + 1);
            case "brx":
                var (index, targets) = (_operands.Source(i.Operands[0]), _program.BranchTargets(i.Operands[1]));
                return new((PtxThread t) => t.Next = _program.Label(targets[(int)index(t)]));
            case "ret":
                return new((PtxThread t) => t.Next = Runs(t) ? int.MaxValue : t.Next + 1);
            case "bar":
                return PtxStep.Barrier;
            case "ldmatrix":
                var (into, from, turned) =
                    (_operands.Vector(i.Operands[0]), _operands.Address(i.Operands[1]), parts.Contains("trans"));
                return new(
                    (PtxThread[] lanes) => PtxWarp.LoadMatrices(lanes, lanes[0].Group.Shared, into, from, turned));
            case "shfl" when i.Opcode == "shfl.sync.bfly.b32":
                var (shuffled, given, distance) =
                    (_operands.Target(i.Operands[0]), _operands.Source(i.Operands[1]), _operands.Source(i.Operands[2]));
                var (clamp, members) = (_operands.Source(i.Operands[3]), _operands.Source(i.Operands[4]));
                return new((PtxThread[] lanes) => PtxWarp.Exchange(lanes, shuffled, given, distance, clamp, members));
            case "mma" when i.Opcode == "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32":
                var v = Array.ConvertAll(i.Operands, _operands.Vector);
                return new((PtxThread[] lanes) => PtxWarp.Multiply(lanes, v[0], v[1], v[2], v[3]));
            default:
                var action = parts[0] switch
                {
                    "cp" => Copy(i),
                    "ld" => Load(i, parts),
                    "st" => Store(i, parts),
                    _ => Arithmetic(i)
                };
                return new((PtxThread t) =>
                {
                    if (Runs(t))
                    {
                        action(t);
                    }

                    t.Next++;
                })
                {
                    Stores = parts[0] == "st" && parts[1] == "shared"
                        ? (_operands.Address(i.Operands[0]), SizeOf(parts[^1]) * i.Operands[1].Split(',').Length)
                        : null,
                };
        }
    }

    private Action<PtxThread> Arithmetic(PtxInstruction i)
    {
        var (function, target) = (PtxArithmetic.Function(i.Opcode), _operands.Target(i.Operands[0]));
        var sources = i.Operands[1..].Select(_operands.Source).ToArray();
        var values = new ulong[sources.Length];
        return t =>
        {
            for (var o = 0; o < values.Length; o++)
            {
                values[o] = sources[o](t);
            }

            target(t, function(values));
        };
    }

    private Action<PtxThread> Copy(PtxInstruction i)
    {
        switch (i.Opcode)
        {
            case "cp.async.commit_group":
                return t => t.Commit();
            case "cp.async.wait_group":
                var left = int.Parse(i.Operands[0]);
                return t =>
                {
                    while (t.OnTheirWay.Count > left)
                    {
                        t.OnTheirWay.Dequeue().ForEach(copy => t.Group.Shared.Arrive(t, copy));
                    }
                };
            case "cp.async.cg.shared.global" or "cp.async.ca.shared.global":
                var whole = int.Parse(i.Operands[2]);
                if (whole != 16 && (i.Opcode.Contains(".cg", StringComparison.Ordinal) || whole is not (4 or 8)))
                {
                    throw new NotSupportedException($"{i} copies {whole} bytes");
                }

                var (to, from, size) = (_operands.Address(i.Operands[0]), _operands.Address(i.Operands[1]),
                    _operands.Source(i.Operands[3]));
                return t =>
                {
                    var bytes = new byte[whole];
                    var count = (int)size(t);
                    if (count > 0)
                    {
                        t.Group.Global.At(t, from(t), whole)[..count].CopyTo(bytes);
                    }

                    var target = (uint)to(t);
                    t.Group.Shared.Ask(t, target, whole);
                    t.Asked.Add(new(target, bytes));
                };
            default:
                throw new NotSupportedException($"opcode {i.Opcode} is unknown");
        }
    }

    private Action<PtxThread> Load(PtxInstruction i, string[] parts)
    {
        var size = SizeOf(parts[^1]);
        if (parts[1] == "param")
        {
            var target = _operands.Target(i.Operands[0]);
            var place = i.Operands[1].Trim('[', ']').Split('+');
            var at = _parameterPlaces[place[0]] + (place.Length > 1 ? int.Parse(place[1]) : 0);
            var value = Number(_parameters.AsSpan(at, size));
            return t => target(t, value);
        }

        var (targets, address) = (_operands.Vector(i.Operands[0]), _operands.Address(i.Operands[1]));
        var count = size * targets.Length;
        void Spread(PtxThread t, ReadOnlySpan<byte> bytes)
        {
            for (var n = 0; n < targets.Length; n++)
            {
                t.Write(targets[n], Number(bytes.Slice(n * size, size)));
            }
        }

        return parts[1] switch
        {
            "global" => t => Spread(t, t.Group.Global.At(t, address(t), count)),
            "shared" => t => Spread(t, t.Group.Shared.Read(t, (uint)address(t), count)),
            "local" => t => Spread(t, t.Local.AsSpan((int)address(t), count)),
            _ => throw new NotSupportedException($"opcode {i.Opcode} is unknown"),
        };
    }

    private Action<PtxThread> Store(PtxInstruction i, string[] parts)
    {
        var (address, size) = (_operands.Address(i.Operands[0]), SizeOf(parts[^1]));
        var sources = i.Operands[1].Trim('{', '}').Split(',', StringSplitOptions.TrimEntries).Select(_operands.Source)
            .ToArray();
        byte[] Values(PtxThread t) => [.. sources.SelectMany(source => BitConverter.GetBytes(source(t)).Take(size))];
        return parts[1] switch
        {
            "global" => t => Values(t).CopyTo(t.Group.Global.At(t, address(t), size * sources.Length)),
            "shared" => t => t.Group.Shared.Write(t, (uint)address(t), Values(t)),
            "local" => t => Values(t).CopyTo(t.Local.AsSpan((int)address(t))),
            _ => throw new NotSupportedException($"opcode {i.Opcode} is unknown"),
        };
    }

    private static int SizeOf(string type) => int.Parse(type.AsSpan(1)) / 8;

    private static ulong Number(ReadOnlySpan<byte> bytes)
    {
        var value = 0ul;
        for (var i = bytes.Length - 1; i >= 0; i--)
        {
            value = (value << 8) | bytes[i];
        }

        return value;
    }
}

/// <summary>What an instruction does: alone, as a warp, or by waiting for the group.</summary>
internal sealed class PtxStep
{
    public PtxStep(Action<PtxThread> alone) => Alone = alone;

    public PtxStep(Action<PtxThread[]> together) => Together = together;

    public Action<PtxThread>? Alone { get; }

    public Action<PtxThread[]>? Together { get; }

    /// <summary>Where it stores to shared memory, and how many bytes; null where it does not.</summary>
    public (Func<PtxThread, long> Address, int Bytes)? Stores { get; init; }

    public bool IsBarrier { get; private init; }

    public static PtxStep Barrier { get; } = new((PtxThread[] _) => { }) { IsBarrier = true };
}
