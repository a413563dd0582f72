namespace SafeLlama.Kernels.Tests;

/// <summary>What the PTX ISA (8.4) says of loads, stores and of copies that a lane does not wait for.</summary>
internal static class PtxMemoryVectors
{
    /// <summary>
    /// Three copies of a lane's first three words to shared memory, 512 bytes apart, each a group of its own.
    /// </summary>
    public const string ThreeGroups =
        "mov.u32 r1, rows; shl.b32 r2, r0, 2; add.s32 r1, r1, r2; "
        + "cp.async.ca.shared.global [r1], [d0], 4, 4; cp.async.commit_group; "
        + "cp.async.ca.shared.global [r1+512], [d0+4], 4, 4; cp.async.commit_group; "
        + "cp.async.ca.shared.global [r1+1024], [d0+8], 4, 4; cp.async.commit_group; ";

    public static IEnumerable<PtxVector> All =>
    [
        .. Accesses,
        new("ld.param", "ld.param.b32 y0, [seven]; ld.param.f32 y1, [half];", _ => [0], _ => [7, 0x3F000000]),
        new("ld.local, st.local", "mov.b64 d4, own; st.local.b32 [d4+8], x0; st.local.b32 [d4+12], x1; "
            + "ld.local.b64 d5, [d4+8]; st.local.b64 [d4], d5; ld.local.b32 y0, [d4]; ld.local.b32 y1, [d4+4];",
            l => [(uint)l, 100u + (uint)l], l => [(uint)l, 100u + (uint)l]),

        // wait_group N: the N last groups may be on their way, those before have arrived.
        new("cp.async, three groups", ThreeGroups + "cp.async.wait_group 2; ld.shared.b32 y0, [r1]; "
            + "cp.async.wait_group 1; ld.shared.b32 y1, [r1+512]; cp.async.wait_group 0; ld.shared.b32 y2, [r1+1024];",
            l => [(uint)l, 100u + (uint)l, 200u + (uint)l, 0], l => [(uint)l, 100u + (uint)l, 200u + (uint)l]),
        new("cp.async, empty groups", ThreeGroups + "cp.async.commit_group; cp.async.commit_group; "
            + "cp.async.wait_group 2; ld.shared.b32 y0, [r1+1024];",
            l => [0, 0, (uint)l, 0], l => [(uint)l]),
        new("cp.async, two copies in a group",
            "cp.async.ca.shared.global [r1], [d0+4], 4, 4; cp.async.ca.shared.global [r1+4], [d0], 4, 0; "
            + "cp.async.commit_group; cp.async.wait_group 0; ld.shared.b32 y0, [r1]; ld.shared.b32 y1, [r1+4];",
            l => [7, 100u + (uint)l], l => [100u + (uint)l, 0]),
        new("cp.async.cg, behind a barrier",
            "cp.async.cg.shared.global [r1], [d0], 16, 16; cp.async.commit_group; cp.async.wait_group 0; bar.sync 0; "
            + "xor.b32 r3, r0, 31; shl.b32 r3, r3, 4; mov.u32 r4, rows; add.s32 r4, r4, r3; "
            + "ld.shared.v4.b32 {y0,y1,y2,y3}, [r4];",
            l => [(uint)l, (uint)l + 40, (uint)l + 80, (uint)l + 120],
            l => [(uint)(l ^ 31), (uint)(l ^ 31) + 40, (uint)(l ^ 31) + 80, (uint)(l ^ 31) + 120]),
    ];

    /// <summary>Each form of load reads what the same form of store laid down; the first word is the lowest.</summary>
    private static IEnumerable<PtxVector> Accesses
    {
        get
        {
            foreach (var store in PtxForms.Accesses.Where(form => form.StartsWith("st.", StringComparison.Ordinal)))
            {
                var load = "ld" + store[2..];
                var parts = store.Split('.');
                var (count, bytes) = (parts[2][0] == 'v' ? parts[2][1] - '0' : 1, int.Parse(parts[^1].AsSpan(1)) / 8);
                var (from, to) = bytes switch { 2 => ("z0", "z1"), 4 => ("x", "y"), _ => ("d", "d") };
                string Names(string prefix, int first) => count == 1 && bytes == 2 ? prefix
                    : count == 1 ? prefix + first
                    : "{" + string.Join(",", Enumerable.Range(first, count).Select(i => prefix + i)) + "}";
                var (given, found) = bytes == 8 ? (Names(from, 4), Names(to, 8)) : (Names(from, 0), Names(to, 0));

                // Through shared memory, or through the lane's own outputs, and back into y.
                var place = parts[1] == "shared" ? "[r1]" : "[d1]";
                var before = bytes switch
                {
                    2 => "ld.global.b16 z0, [d0]; ",
                    8 => "ld.global.b64 d4, [d0]; ld.global.b64 d5, [d0+8]; ",
                    _ => "",
                };
                var after = bytes switch
                {
                    2 => " cvt.s32.u16 y0, z1;",
                    8 => " st.global.b64 [d1], d8; "
                        + (count == 2 ? "st.global.b64 [d1+8], d9; " : "")
                        + string.Concat(
                            Enumerable.Range(0, 2 * count).Select(i => $"ld.global.b32 y{i}, [d1+{4 * i}]; ")),
                    _ => "",
                };
                yield return new(
                    $"{load}, {store}", $"{before}{store} {place}, {given}; {load} {found}, {place};{after}", Given,
                    l => bytes == 2 ? [Given(l)[0] & 0xFFFF] : Given(l)[..(count * bytes / 4)]);
            }
        }
    }

    private static uint[] Given(int lane) =>
        [0x10000u + (uint)lane, 0x20000u + (uint)lane, 0x30000u + (uint)lane, 0x40000u + (uint)lane];
}
