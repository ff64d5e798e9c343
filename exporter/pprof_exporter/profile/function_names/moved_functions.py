"""Functions that Go moved to another package from one release to the next.

Written by `python -m tests.record_renames`. A function moved if the old package lost it, and the new one got one of the
same name and receiver whose source has at least 70 % of the same tokens. Packages that only commands and tests of Go
use are left out. Each row has the figures of `PackageMove`.

1,194 functions in 44 moves, of so many functions by version of Go: 1.19 16,774, 1.21.13 18,170, 1.22.10 18,529, 1.23.9
18,852, 1.24.11 19,674, 1.25.5 20,558, 1.26.6 23,655, 1.27.3 27,196.
"""

from __future__ import annotations

from pprof_exporter.profile.function_names.package_move import PackageMove

# fmt: off
MOVES: tuple[PackageMove, ...] = (
    PackageMove(21, "crypto/internal/subtle", "crypto/internal/alias", 2, 0, "AnyOverlap InexactOverlap"),
    PackageMove(21, "internal/reflectlite", "internal/abi", 79, 46, "Kind.String"),
    PackageMove(21, "os", "syscall", 240, 234, "adjustFileLimit"),
    PackageMove(21, "reflect", "internal/abi", 323, 305, "writeVarint"),
    PackageMove(21, "syscall", "runtime", 971, 953, "setenv_c unsetenv_c"),
    PackageMove(21, "vendor/golang.org/x/crypto/internal/subtle", "vendor/golang.org/x/crypto/internal/alias", 2, 0, """
        AnyOverlap InexactOverlap
    """),
    PackageMove(23, "internal/safefilepath", "internal/filepathlite", 6, 0, "equalFold isReservedBaseName"),
    PackageMove(23, "path/filepath", "internal/filepathlite", 57, 42, """
        (*lazybuf).append (*lazybuf).index (*lazybuf).prepend (*lazybuf).string cutPath isLocal isUNC pathHasPrefixFold
        postClean toUpper uncLen unixIsLocal volumeNameLen
    """),
    PackageMove(23, "runtime/coverage", "internal/coverage/cfile", 33, 6, """
        (*emitState).VisitFuncs (*emitState).emitCounterDataFile (*emitState).emitCounterDataToWriter
        (*emitState).emitMetaDataFile (*emitState).needMetaDataFile (*emitState).openCounterFile
        (*emitState).openMetaFile (*emitState).openOutputFiles (*tstate).processPod (*tstate).readAuxMetaFiles
        captureOsArgs emitCounterData emitCounterDataToDirectory emitMetaData emitMetaDataToDirectory getCovCounterList
        granClash modeClash prepareForMetaEmit reportErrorInHardcodedList writeMetaData
    """),
    PackageMove(23, "runtime/internal/atomic", "internal/runtime/atomic", 126, 0, """
        (*Bool).Load (*Bool).Store (*Float64).Load (*Float64).Store (*Int32).Add (*Int32).CompareAndSwap (*Int32).Load
        (*Int32).Store (*Int32).Swap (*Int64).Add (*Int64).CompareAndSwap (*Int64).Load (*Int64).Store (*Int64).Swap
        (*Pointer[...]).CompareAndSwap (*Pointer[...]).CompareAndSwapNoWB (*Pointer[...]).Load (*Pointer[...]).Store
        (*Pointer[...]).StoreNoWB (*Uint32).Add (*Uint32).And (*Uint32).CompareAndSwap (*Uint32).CompareAndSwapRelease
        (*Uint32).Load (*Uint32).LoadAcquire (*Uint32).Or (*Uint32).Store (*Uint32).StoreRelease (*Uint32).Swap
        (*Uint64).Add (*Uint64).CompareAndSwap (*Uint64).Load (*Uint64).LoadAcquire (*Uint64).Store
        (*Uint64).StoreRelease (*Uint64).Swap (*Uint8).And (*Uint8).Load (*Uint8).Or (*Uint8).Store (*Uintptr).Add
        (*Uintptr).CompareAndSwap (*Uintptr).Load (*Uintptr).LoadAcquire (*Uintptr).Store (*Uintptr).StoreRelease
        (*Uintptr).Swap (*UnsafePointer).CompareAndSwap (*UnsafePointer).CompareAndSwapNoWB (*UnsafePointer).Load
        (*UnsafePointer).Store (*UnsafePointer).StoreNoWB (*noCopy).Lock (*noCopy).Unlock (*spinlock).lock
        (*spinlock).unlock And And32 And64 And8 Anduintptr Cas Cas64 CasRel Casint32 Casint64 Casp1 Casuintptr Load
        Load64 Load8 LoadAcq LoadAcq64 LoadAcquintptr Loadint32 Loadint64 Loadp Loaduint Loaduintptr Or Or32 Or64 Or8
        Oruintptr Store Store64 Store8 StoreRel StoreRel64 StoreReluintptr Storeint32 Storeint64 StorepNoWB Storeuintptr
        Xadd Xadd64 Xaddint32 Xaddint64 Xadduintptr Xchg Xchg64 Xchgint32 Xchgint64 Xchguintptr addrLock armCas64
        armLoad64 armStore64 armXadd64 armXchg64 armcas cas casPointer goCas64 goLoad64 goStore64 goXadd64 goXchg64
        kernelcas lockAndCheck memory_barrier panicUnaligned spinLock spinUnlock storePointer unlock
    """),
    PackageMove(23, "runtime/internal/syscall", "internal/runtime/syscall", 4, 0, """
        EpollCreate1 EpollCtl EpollWait Syscall6
    """),
    PackageMove(24, "crypto/aes", "crypto/internal/fips140/aes", 63, 2, """
        _expand_key_128 _expand_key_192a _expand_key_192b _expand_key_256a _expand_key_256b cryptBlocks cryptBlocksChain
        decryptBlockAsm encryptBlockAsm expandKeyAsm rotw subw
    """),
    PackageMove(24, "crypto/aes", "crypto/internal/fips140/aes/gcm", 63, 2, """
        counterCryptASM cryptBlocksGCM gcmAesData gcmAesDec gcmAesEnc gcmAesFinish gcmAesInit gcmHash gcmInc32 gcmInit
        gcmLengths kmaGCM sliceForAppend
    """),
    PackageMove(24, "crypto/cipher", "crypto/internal/fips140/aes/gcm", 43, 29, "reverseBits"),
    PackageMove(24, "crypto/ecdh", "crypto/internal/fips140/ecdh", 29, 20, "isLess"),
    PackageMove(24, "crypto/ecdsa", "crypto/internal/fips140/ecdsa", 47, 27, """
        canUseKDSA hashToNat[...] inverse[...] kdsa randomPoint[...]
    """),
    PackageMove(24, "crypto/internal/alias", "crypto/internal/fips140/alias", 2, 0, "AnyOverlap InexactOverlap"),
    PackageMove(24, "crypto/internal/bigmod", "crypto/internal/fips140/bigmod", 44, 0, """
        (*Modulus).Size (*Nat).Add (*Nat).Bytes (*Nat).Equal (*Nat).Exp (*Nat).ExpShortVarTime (*Nat).ExpandFor
        (*Nat).IsZero (*Nat).Mod (*Nat).SetBytes (*Nat).SetOverflowingBytes (*Nat).Sub (*Nat).add (*Nat).assign
        (*Nat).cmpGeq (*Nat).expand (*Nat).maybeSubtractModulus (*Nat).montgomeryMul (*Nat).montgomeryReduction
        (*Nat).montgomeryRepresentation (*Nat).reset (*Nat).resetFor (*Nat).set (*Nat).setBytes (*Nat).shiftIn
        (*Nat).sub NewNat addMulVVW addMulVVW1024 addMulVVW1536 addMulVVW2048 addMulVVWx bigEndianUint bitLen ctEq
        ctMask minusInverseModW not rr
    """),
    PackageMove(24, "crypto/internal/edwards25519", "crypto/internal/fips140/edwards25519", 70, 0, """
        (*Point).Add (*Point).Bytes (*Point).Equal (*Point).Negate (*Point).ScalarBaseMult (*Point).ScalarMult
        (*Point).Set (*Point).SetBytes (*Point).Subtract (*Point).VarTimeDoubleScalarBaseMult (*Point).bytes
        (*Point).fromP1xP1 (*Point).fromP2 (*Scalar).Add (*Scalar).Bytes (*Scalar).Equal (*Scalar).Multiply
        (*Scalar).MultiplyAdd (*Scalar).Negate (*Scalar).Set (*Scalar).SetBytesWithClamping (*Scalar).SetCanonicalBytes
        (*Scalar).SetUniformBytes (*Scalar).Subtract (*Scalar).bytes (*Scalar).nonAdjacentForm (*Scalar).setShortBytes
        (*Scalar).signedRadix16 (*affineCached).CondNeg (*affineCached).FromP3 (*affineCached).Select
        (*affineCached).Zero (*affineLookupTable).FromP3 (*affineLookupTable).SelectInto (*nafLookupTable5).FromP3
        (*nafLookupTable5).SelectInto (*nafLookupTable8).FromP3 (*nafLookupTable8).SelectInto (*projCached).CondNeg
        (*projCached).FromP3 (*projCached).Select (*projCached).Zero (*projLookupTable).FromP3
        (*projLookupTable).SelectInto (*projP1xP1).Add (*projP1xP1).AddAffine (*projP1xP1).Double (*projP1xP1).Sub
        (*projP1xP1).SubAffine (*projP2).FromP1xP1 (*projP2).FromP3 (*projP2).Zero NewGeneratorPoint NewIdentityPoint
        NewScalar basepointNafTable basepointTable checkInitialized copyFieldElement fiatScalarAdd fiatScalarCmovznzU64
        fiatScalarFromBytes fiatScalarFromMontgomery fiatScalarMul fiatScalarNonzero fiatScalarOpp fiatScalarSub
        fiatScalarToBytes fiatScalarToMontgomery isReduced
    """),
    PackageMove(24, "crypto/internal/edwards25519/field", "crypto/internal/fips140/edwards25519/field", 33, 0, """
        (*Element).Absolute (*Element).Add (*Element).Bytes (*Element).Equal (*Element).Invert (*Element).IsNegative
        (*Element).Mult32 (*Element).Multiply (*Element).Negate (*Element).One (*Element).Pow22523 (*Element).Select
        (*Element).Set (*Element).SetBytes (*Element).SqrtRatio (*Element).Square (*Element).Subtract (*Element).Swap
        (*Element).Zero (*Element).bytes (*Element).carryPropagate (*Element).carryPropagateGeneric (*Element).reduce
        addMul64 carryPropagate feMul feMulGeneric feSquare feSquareGeneric mask64Bits mul51 mul64 shiftRightBy51
    """),
    PackageMove(24, "crypto/internal/mlkem768", "crypto/internal/fips140/mlkem", 44, 0, """
        compress decompress fieldAdd fieldAddMul fieldCheckReduced fieldMul fieldMulSub fieldReduce fieldReduceOnce
        fieldSub inverseNTT kemDecaps kemKeyGen newKeyFromSeed ntt nttMul parseEK pkeDecrypt pkeEncrypt polyAdd[...]
        polyByteDecode[...] polyByteEncode[...] polySub[...] ringCompressAndEncode1 ringCompressAndEncode10
        ringCompressAndEncode4 ringDecodeAndDecompress1 ringDecodeAndDecompress10 ringDecodeAndDecompress4 sampleNTT
        samplePolyCBD sliceForAppend
    """),
    PackageMove(24, "crypto/internal/nistec", "crypto/internal/fips140/nistec", 122, 0, """
        (*P224Point).Add (*P224Point).Bytes (*P224Point).BytesCompressed (*P224Point).BytesX (*P224Point).Double
        (*P224Point).ScalarBaseMult (*P224Point).ScalarMult (*P224Point).Select (*P224Point).Set (*P224Point).SetBytes
        (*P224Point).SetGenerator (*P224Point).bytes (*P224Point).bytesCompressed (*P224Point).bytesX
        (*P224Point).generatorTable (*P256Point).Add (*P256Point).Bytes (*P256Point).BytesCompressed (*P256Point).BytesX
        (*P256Point).Double (*P256Point).ScalarBaseMult (*P256Point).ScalarMult (*P256Point).Select (*P256Point).Set
        (*P256Point).SetBytes (*P256Point).SetGenerator (*P256Point).affineFromMont (*P256Point).bytes
        (*P256Point).bytesCompressed (*P256Point).bytesX (*P256Point).isInfinity (*P256Point).p256BaseMult
        (*P256Point).p256ScalarMult (*P384Point).Add (*P384Point).Bytes (*P384Point).BytesCompressed (*P384Point).BytesX
        (*P384Point).Double (*P384Point).ScalarBaseMult (*P384Point).ScalarMult (*P384Point).Select (*P384Point).Set
        (*P384Point).SetBytes (*P384Point).SetGenerator (*P384Point).bytes (*P384Point).bytesCompressed
        (*P384Point).bytesX (*P384Point).generatorTable (*P521Point).Add (*P521Point).Bytes (*P521Point).BytesCompressed
        (*P521Point).BytesX (*P521Point).Double (*P521Point).ScalarBaseMult (*P521Point).ScalarMult (*P521Point).Select
        (*P521Point).Set (*P521Point).SetBytes (*P521Point).SetGenerator (*P521Point).bytes (*P521Point).bytesCompressed
        (*P521Point).bytesX (*P521Point).generatorTable (*p224Table).Select (*p256Table).Select (*p384Table).Select
        (*p521Table).Select NewP224Point NewP256Point NewP384Point NewP521Point P256OrdInverse boothW5 boothW6 p224B
        p224CheckOnCurve p224Polynomial p224Sqrt p224SqrtCandidate p256Add p256B p256CheckOnCurve p256Equal p256FromMont
        p256Inverse p256LessThanP p256MovCond p256Mul p256MulInternal p256NegCond p256OrdMul p256OrdReduce p256OrdSqr
        p256PointAddAffineAsm p256PointAddAsm p256PointDoubleAsm p256Polynomial p256Select p256SelectAffine p256Sqr
        p256SqrInternal p256Sqrt p256SubInternal p384B p384CheckOnCurve p384Polynomial p384Sqrt p384SqrtCandidate p521B
        p521CheckOnCurve p521Polynomial p521Sqrt p521SqrtCandidate uint64IsZero
    """),
    PackageMove(24, "crypto/internal/nistec/fiat", "crypto/internal/fips140/nistec/fiat", 100, 0, """
        (*P224Element).Add (*P224Element).Bytes (*P224Element).Equal (*P224Element).Invert (*P224Element).IsZero
        (*P224Element).Mul (*P224Element).One (*P224Element).Select (*P224Element).Set (*P224Element).SetBytes
        (*P224Element).Square (*P224Element).Sub (*P224Element).bytes (*P256Element).Add (*P256Element).Bytes
        (*P256Element).Equal (*P256Element).Invert (*P256Element).IsZero (*P256Element).Mul (*P256Element).One
        (*P256Element).Select (*P256Element).Set (*P256Element).SetBytes (*P256Element).Square (*P256Element).Sub
        (*P256Element).bytes (*P384Element).Add (*P384Element).Bytes (*P384Element).Equal (*P384Element).Invert
        (*P384Element).IsZero (*P384Element).Mul (*P384Element).One (*P384Element).Select (*P384Element).Set
        (*P384Element).SetBytes (*P384Element).Square (*P384Element).Sub (*P384Element).bytes (*P521Element).Add
        (*P521Element).Bytes (*P521Element).Equal (*P521Element).Invert (*P521Element).IsZero (*P521Element).Mul
        (*P521Element).One (*P521Element).Select (*P521Element).Set (*P521Element).SetBytes (*P521Element).Square
        (*P521Element).Sub (*P521Element).bytes p224Add p224CmovznzU64 p224FromBytes p224FromMontgomery
        p224InvertEndianness p224Mul p224Selectznz p224SetOne p224Square p224Sub p224ToBytes p224ToMontgomery p256Add
        p256CmovznzU64 p256FromBytes p256FromMontgomery p256InvertEndianness p256Mul p256Selectznz p256SetOne p256Square
        p256Sub p256ToBytes p256ToMontgomery p384Add p384CmovznzU64 p384FromBytes p384FromMontgomery
        p384InvertEndianness p384Mul p384Selectznz p384SetOne p384Square p384Sub p384ToBytes p384ToMontgomery p521Add
        p521CmovznzU64 p521FromBytes p521FromMontgomery p521InvertEndianness p521Mul p521Selectznz p521SetOne p521Square
        p521Sub p521ToBytes p521ToMontgomery
    """),
    PackageMove(24, "crypto/rsa", "crypto/internal/fips140/rsa", 40, 31, """
        decrypt emsaPSSEncode emsaPSSVerify incCounter mgf1XOR pkcs1v15ConstructEM
    """),
    PackageMove(24, "crypto/sha256", "crypto/internal/fips140/sha256", 17, 4, """
        block blockGeneric consumeUint32 consumeUint64
    """),
    PackageMove(24, "crypto/sha512", "crypto/internal/fips140/sha512", 22, 8, """
        block blockAMD64 blockAVX2 blockGeneric consumeUint64
    """),
    PackageMove(24, "crypto/subtle", "crypto/internal/fips140/subtle", 11, 7, "aligned words xorBytes xorLoop[...]"),
    PackageMove(24, "go/internal/gcimporter", "internal/exportdata", 80, 38, "FindPkg lookupGorootExport"),
    PackageMove(24, "internal/concurrent", "internal/sync", 14, 0, """
        (*HashTrieMap[...]).All (*HashTrieMap[...]).Load (*HashTrieMap[...]).LoadOrStore (*HashTrieMap[...]).expand
        (*HashTrieMap[...]).iter (*entry[...]).compareAndDelete (*entry[...]).lookup (*indirect[...]).empty
        (*node[...]).entry (*node[...]).indirect newEntryNode[...] newIndirectNode[...]
    """),
    PackageMove(24, "internal/weak", "weak", 4, 0, "Make[...] runtime_makeStrongFromWeak runtime_registerWeakPointer"),
    PackageMove(24, "runtime/internal/math", "internal/runtime/math", 3, 0, "Add64 Mul64 MulUintptr"),
    PackageMove(24, "runtime/internal/sys", "internal/runtime/sys", 12, 0, """
        Bswap32 Bswap64 LeadingZeros64 LeadingZeros8 Len64 Len8 OnesCount64 Prefetch PrefetchStreamed TrailingZeros32
        TrailingZeros64 TrailingZeros8
    """),
    PackageMove(24, "sync", "internal/sync", 87, 83, """
        (*Mutex).lockSlow (*Mutex).unlockSlow runtime_SemacquireMutex runtime_nanotime
    """),
    PackageMove(24, "vendor/golang.org/x/crypto/sha3", "crypto/internal/fips140/sha3", 59, 0, """
        NewCShake128 NewCShake256 NewLegacyKeccak256 NewLegacyKeccak512 bytepad keccakF1600 kimd klmd newCShake
    """),
    PackageMove(24, "vendor/golang.org/x/crypto/sha3", "crypto/sha3", 59, 0, "Sum224 Sum256 Sum384 Sum512"),
    PackageMove(25, "net/http", "net/http/internal/httpcommon", 1103, 1087, """
        buildCommonHeaderMaps buildCommonHeaderMapsOnce checkConnHeaders commaSeparatedTrailers
        shouldSendReqContentLength validPseudoPath validateHeaders
    """, "http2"),
    PackageMove(25, "vendor/golang.org/x/net/route", "internal/routebsd", 49, 0, """
        (*LinkAddr).Family (*wireFormat).parseInterfaceAddrMessage (*wireFormat).parseInterfaceMessage
        (*wireFormat).parseInterfaceMulticastAddrMessage parseAddrs parseInetAddr parseKernelInetAddr
        parseKernelLinkAddr parseLinkAddr probeRoutingStack roundup
    """),
    PackageMove(26, "crypto/internal/hpke", "crypto/hpke", 19, 0, """
        (*Recipient).Open (*Sender).Seal (*context).nextNonce suiteID
    """),
    PackageMove(26, "internal/runtime/syscall", "internal/runtime/syscall/linux", 9, 0, """
        Close EpollCreate1 EpollCtl EpollWait Eventfd Open Pread Read Syscall6
    """),
    PackageMove(26, "runtime", "internal/runtime/syscall/windows", 3122, 2999, "asmstdcall"),
    PackageMove(26, "strconv", "internal/strconv", 104, 51, """
        (*decimal).Assign (*decimal).Round (*decimal).RoundDown (*decimal).RoundUp (*decimal).RoundedInteger
        (*decimal).Shift (*decimal).String (*decimal).floatBits (*decimal).set atof32 atof32exact atof64 atof64exact
        atofHex bigFtoa commonPrefixLenIgnoreCase digitZero eiselLemire32 eiselLemire64 fmtB fmtE fmtF fmtX formatBits
        formatDigits genericFtoa isPowerOfTwo leftShift lower parseFloatPrefix prefixIsLessThan readFloat rightShift
        roundShortest shouldRoundUp small special trim underscoreOK
    """),
    PackageMove(27, "net/http", "net/http/internal", 1147, 620, """
        (*exactSig).match (*maskedSig).match htmlSig.match isTT isWS mp4Sig.match textSig.match
    """),
    PackageMove(27, "net/http", "net/http/internal/http2", 1147, 620, """
        (*ClientConn).CanTakeNewRequest (*ClientConn).Close (*ClientConn).Ping (*ClientConn).ReserveNewRequest
        (*ClientConn).RoundTrip (*ClientConn).SetDoNotReuse (*ClientConn).Shutdown (*ClientConn).State
        (*ClientConn).addStreamLocked (*ClientConn).availableLocked (*ClientConn).awaitOpenSlotForStreamLocked
        (*ClientConn).canReserveLocked (*ClientConn).canTakeNewRequestLocked (*ClientConn).closeConn
        (*ClientConn).closeForError (*ClientConn).closeForLostPing (*ClientConn).closeIfIdle
        (*ClientConn).countReadFrameError (*ClientConn).currentRequestCountLocked (*ClientConn).decrStreamReservations
        (*ClientConn).decrStreamReservationsLocked (*ClientConn).encodeTrailers (*ClientConn).forceCloseConn
        (*ClientConn).forgetStreamID (*ClientConn).healthCheck (*ClientConn).idleState (*ClientConn).idleStateLocked
        (*ClientConn).isDoNotReuseAndIdle (*ClientConn).isUsableLocked (*ClientConn).logf
        (*ClientConn).maybeCallStateHook (*ClientConn).onIdleTimeout (*ClientConn).readLoop
        (*ClientConn).responseHeaderTimeout (*ClientConn).roundTrip (*ClientConn).sendGoAway (*ClientConn).tooIdleLocked
        (*ClientConn).vlogf (*ClientConn).writeHeader (*ClientConn).writeHeaders (*ClientConn).writeStreamReset
        (*ContinuationFrame).HeaderBlockFragment (*ContinuationFrame).HeadersEnded (*DataFrame).Data
        (*DataFrame).StreamEnded (*FrameHeader).checkValid (*FrameHeader).invalidate (*FrameWriteRequest).replyToWriter
        (*Framer).ErrorDetail (*Framer).ReadFrame (*Framer).ReadFrameForHeader (*Framer).ReadFrameHeader
        (*Framer).SetMaxReadFrameSize (*Framer).SetReuseFrames (*Framer).WriteContinuation (*Framer).WriteData
        (*Framer).WriteDataPadded (*Framer).WriteGoAway (*Framer).WriteHeaders (*Framer).WritePing
        (*Framer).WritePriority (*Framer).WritePushPromise (*Framer).WriteRSTStream (*Framer).WriteRawFrame
        (*Framer).WriteSettings (*Framer).WriteSettingsAck (*Framer).WriteWindowUpdate (*Framer).checkFrameOrder
        (*Framer).connError (*Framer).endWrite (*Framer).logWrite (*Framer).maxHeaderListSize
        (*Framer).maxHeaderStringLen (*Framer).readMetaFrame (*Framer).startWrite (*Framer).startWriteDataPadded
        (*Framer).writeByte (*Framer).writeBytes (*Framer).writeUint16 (*Framer).writeUint32 (*GoAwayFrame).DebugData
        (*HeadersFrame).HasPriority (*HeadersFrame).HeaderBlockFragment (*HeadersFrame).HeadersEnded
        (*HeadersFrame).StreamEnded (*MetaHeadersFrame).PseudoFields (*MetaHeadersFrame).PseudoValue
        (*MetaHeadersFrame).RegularFields (*MetaHeadersFrame).checkPseudos (*PingFrame).IsAck
        (*PushPromiseFrame).HeaderBlockFragment (*PushPromiseFrame).HeadersEnded (*ServeConnOpts).context
        (*Server).serveConn (*SettingsFrame).ForeachSetting (*SettingsFrame).HasDuplicates (*SettingsFrame).IsAck
        (*SettingsFrame).NumSettings (*SettingsFrame).Setting (*SettingsFrame).Value (*Transport).RoundTrip
        (*Transport).RoundTripOpt (*Transport).dialClientConn (*Transport).dialTLS (*Transport).dialTLSWithContext
        (*Transport).disableCompression (*Transport).disableKeepAlives (*Transport).expectContinueTimeout
        (*Transport).idleConnTimeout (*Transport).logf (*Transport).maxHeaderListSize (*Transport).newClientConn
        (*Transport).newTLSConfig (*Transport).vlogf (*UnknownFrame).Payload (*addConnCall).run
        (*bufferedWriter).Available (*bufferedWriter).Flush (*bufferedWriter).Write (*bufferedWriterTimeoutWriter).Write
        (*clientConnPool).GetClientConn (*clientConnPool).MarkDead (*clientConnPool).addConnIfNeeded
        (*clientConnPool).addConnLocked (*clientConnPool).closeIdleConnections (*clientConnPool).getClientConn
        (*clientConnPool).getStartDialLocked (*clientConnReadLoop).cleanup (*clientConnReadLoop).endStream
        (*clientConnReadLoop).endStreamError (*clientConnReadLoop).handleResponse (*clientConnReadLoop).processData
        (*clientConnReadLoop).processHeaders (*clientConnReadLoop).processPing (*clientConnReadLoop).processPushPromise
        (*clientConnReadLoop).processResetStream (*clientConnReadLoop).processSettings
        (*clientConnReadLoop).processSettingsNoWrite (*clientConnReadLoop).processTrailers (*clientConnReadLoop).run
        (*clientStream).abortRequestBodyWrite (*clientStream).abortStream (*clientStream).abortStreamLocked
        (*clientStream).awaitFlowControl (*clientStream).cleanupWriteRequest (*clientStream).closeReqBodyLocked
        (*clientStream).copyTrailers (*clientStream).doRequest (*clientStream).encodeAndWriteHeaders
        (*clientStream).frameScratchBufferLen (*clientStream).get1xxTraceFunc (*clientStream).writeRequest
        (*clientStream).writeRequestBody (*closeWaiter).Init (*dataBuffer).Len (*dataBuffer).Read (*dataBuffer).Write
        (*dataBuffer).bytesFromFirstChunk (*dataBuffer).lastChunkOrAlloc (*dialCall).dial (*frameCache).getDataFrame
        (*gzipReader).Close (*gzipReader).Read (*gzipReader).acquire (*gzipReader).close (*gzipReader).release
        (*httpError).Error (*httpError).Temporary (*httpError).Timeout (*inflow).add (*inflow).init (*inflow).take
        (*pipe).BreakWithError (*pipe).CloseWithError (*pipe).Done (*pipe).Err (*pipe).Len (*pipe).Read (*pipe).Write
        (*pipe).closeDoneLocked (*pipe).closeWithError (*pipe).closeWithErrorAndCode (*pipe).setBuffer
        (*priorityWriteSchedulerRFC9218).AdjustStream (*priorityWriteSchedulerRFC9218).CloseStream
        (*priorityWriteSchedulerRFC9218).OpenStream (*priorityWriteSchedulerRFC9218).Pop
        (*priorityWriteSchedulerRFC9218).Push (*requestBody).Close (*requestBody).Read (*responseWriter).CloseNotify
        (*responseWriter).EnableFullDuplex (*responseWriter).Flush (*responseWriter).FlushError (*responseWriter).Header
        (*responseWriter).Push (*responseWriter).SetReadDeadline (*responseWriter).SetWriteDeadline
        (*responseWriter).Write (*responseWriter).WriteHeader (*responseWriter).WriteString
        (*responseWriter).handlerDone (*responseWriter).write (*responseWriterState).declareTrailer
        (*responseWriterState).hasNonemptyTrailers (*responseWriterState).hasTrailers
        (*responseWriterState).promoteUndeclaredTrailers (*responseWriterState).writeChunk
        (*responseWriterState).writeHeader (*roundRobinWriteScheduler).AdjustStream
        (*roundRobinWriteScheduler).CloseStream (*roundRobinWriteScheduler).OpenStream (*roundRobinWriteScheduler).Pop
        (*roundRobinWriteScheduler).Push (*serverConn).CloseConn (*serverConn).Flush (*serverConn).Framer
        (*serverConn).HeaderEncoder (*serverConn).canonicalHeader (*serverConn).checkPriority
        (*serverConn).closeAllStreamsOnConnClose (*serverConn).closeStream (*serverConn).condlogf
        (*serverConn).countError (*serverConn).curOpenStreams (*serverConn).goAway (*serverConn).handlePingTimer
        (*serverConn).handlerDone (*serverConn).logf (*serverConn).maxHeaderListSize (*serverConn).newResponseWriter
        (*serverConn).newStream (*serverConn).newWriterAndRequest (*serverConn).newWriterAndRequestNoBody
        (*serverConn).noteBodyRead (*serverConn).noteBodyReadFromHandler (*serverConn).notePanic
        (*serverConn).onIdleTimer (*serverConn).onReadIdleTimer (*serverConn).onSettingsTimer
        (*serverConn).onShutdownTimer (*serverConn).processData (*serverConn).processFrame
        (*serverConn).processFrameFromReader (*serverConn).processGoAway (*serverConn).processHeaders
        (*serverConn).processPing (*serverConn).processPriority (*serverConn).processResetStream
        (*serverConn).processSetting (*serverConn).processSettings (*serverConn).processWindowUpdate
        (*serverConn).readFrames (*serverConn).readPreface (*serverConn).rejectConn (*serverConn).resetStream
        (*serverConn).runHandler (*serverConn).scheduleFrameWrite (*serverConn).scheduleHandler
        (*serverConn).sendServeMsg (*serverConn).sendWindowUpdate (*serverConn).sendWindowUpdate32 (*serverConn).serve
        (*serverConn).setConnState (*serverConn).shutDownIn (*serverConn).startFrameWrite
        (*serverConn).startGracefulShutdown (*serverConn).startGracefulShutdownInternal (*serverConn).startPush
        (*serverConn).state (*serverConn).stopShutdownTimer (*serverConn).upgradeRequest (*serverConn).vlogf
        (*serverConn).write100ContinueHeaders (*serverConn).writeDataFromHandler (*serverConn).writeFrame
        (*serverConn).writeFrameAsync (*serverConn).writeFrameFromHandler (*serverConn).writeHeaders
        (*serverConn).wroteFrame (*sorter).Keys (*stream).copyTrailersToHandlerRequest (*stream).endStream
        (*stream).isPushed (*stream).onReadTimeout (*stream).onWriteTimeout (*stream).processTrailerHeaders
        (*unencryptedTransport).RoundTrip (*writeData).String (*writeData).staysWithinBuffer (*writeData).writeFrame
        (*writeGoAway).staysWithinBuffer (*writeGoAway).writeFrame (*writePushPromise).staysWithinBuffer
        (*writePushPromise).writeFrame (*writePushPromise).writeHeaderBlock (*writeQueue).consume (*writeQueue).empty
        (*writeQueue).peek (*writeQueue).push (*writeQueue).shift (*writeQueuePool).get (*writeQueuePool).put
        (*writeResHeaders).staysWithinBuffer (*writeResHeaders).writeFrame (*writeResHeaders).writeHeaderBlock
        ConnectionError.Error ErrCode.String ErrCode.stringToken Flags.Has FrameHeader.Header FrameHeader.String
        FrameHeader.writeDebug FrameType.String FrameWriteRequest.Consume FrameWriteRequest.DataSize
        FrameWriteRequest.StreamID FrameWriteRequest.String FrameWriteRequest.isControl GoAwayError.Error NewFramer
        PriorityParam.IsZero ReadFrameHeader Setting.String Setting.Valid SettingID.String StreamError.As
        StreamError.Error StreamError.staysWithinBuffer StreamError.writeFrame actualContentLength
        adjustHTTP1MaxHeaderSize asciiEqualFold asciiToLower authorityAddr bodyAllowedForStatus bufPoolIndex
        canRetryError checkValidHTTP2RequestHeaders checkWriteHeaderCode chunkWriter.Write cloneHeader closeWaiter.Close
        closeWaiter.Wait connError.Error curGoroutineID cutoff64 duplicatePseudoHeaderError.Error encKV encodeHeaders
        encodeRequestHeaders eofReader.Read eofReader.ReadByte erringRoundTripper.RoundTrip
        erringRoundTripper.RoundTripErr errno fillNetHTTPConfig filterOutClientConn flushFrameWriter.staysWithinBuffer
        flushFrameWriter.writeFrame foreachHeaderElement getDataBufferChunk goAwayFlowError.Error goroutineLock.check
        goroutineLock.checkNotOn gzipPoolGet gzipPoolPut handleHeaderListTooLong handlerPanicRST.staysWithinBuffer
        handlerPanicRST.writeFrame headerFieldNameError.Error headerFieldValueError.Error httpCodeString
        invalidHTTP1LookingFrameHeader isASCIIPrint isBadCipher isClosedConnError isConnectionCloseRequest
        isEOFOrNetReadError lower missingBody.Close missingBody.Read mustUint31 newBufferedWriter newGoroutineLock
        newPriorityWriteSchedulerRFC9218 newRoundRobinWriteScheduler noCachedConnError.Error
        noCachedConnError.IsHTTP2NoCachedConnError noDialClientConnPool.GetClientConn parseContinuationFrame
        parseDataFrame parseGoAwayFrame parseHeadersFrame parsePingFrame parsePriorityFrame parsePushPromise
        parseRSTStreamFrame parseSettingsFrame parseUintBytes parseUnknownFrame parseWindowUpdateFrame
        pseudoHeaderError.Error putDataBufferChunk readByte readFrameHeader readUint32 setConfigDefaults setDefault[...]
        shouldRetryDial shouldRetryRequest splitHeaderBlock stickyErrWriter.Write streamError streamState.String
        summarizeFrame takeInflows terminalReadFrameError traceFirstResponseByte traceGetConn traceGot100Continue
        traceGot1xxResponseFunc traceGotConn traceWait100Continue traceWroteHeaders traceWroteRequest
        transportResponseBody.Close transportResponseBody.Read typeFrameParser validStreamID validStreamIDOrZero
        validWireHeaderFieldName write100ContinueHeadersFrame.staysWithinBuffer write100ContinueHeadersFrame.writeFrame
        writeEndsStream writePing.staysWithinBuffer writePing.writeFrame writePingAck.staysWithinBuffer
        writePingAck.writeFrame writeSettings.staysWithinBuffer writeSettings.writeFrame
        writeSettingsAck.staysWithinBuffer writeSettingsAck.writeFrame writeWindowUpdate.staysWithinBuffer
        writeWindowUpdate.writeFrame writeWithByteTimeout
    """, "http2"),
    PackageMove(27, "runtime", "internal/runtime/maps", 3245, 3162, "initAlgAES mix mix32 r4 r8"),
)
